/** What the notes of the site are about; `{a|b}` is a choice. Plain text, no markup. */
export interface Topic {
  readonly titles: readonly string[]
  readonly sentences: readonly string[]
}

export const TOPICS: readonly Topic[] = [
  {
    titles: [
      '{Beans|Tomatoes|Garlic} this year',
      'The {back|north} bed',
      'Seeds to {order|keep}',
      'After the {frost|rain}',
    ],
    sentences: [
      'The {beans|peas|leeks} went in {late|early}, and {nothing came up for two weeks|half of them were eaten by slugs}.',
      'I {dug in|spread} the {old|last} compost before the {rain|weekend}.',
      '{Garlic|Chard|Kale} is the one thing that {never fails|needs nothing from me}.',
      'The {cold|dry} spell in {April|May} {set everything back|cost me the first sowing}.',
      'Next year I will {leave more room between the rows|start the seedlings indoors|buy fewer packets}.',
      'A neighbour gave me {six|four|ten} {lettuce|cabbage|strawberry} plants over the fence.',
      'The water butt {leaks again|was full by Tuesday|needs a lid}.',
    ],
  },
  {
    titles: [
      '{Rye|Sourdough|Oat} bread, {again|once more}',
      'Notes on {crust|proving|flour}',
      'The {slow|cold} loaf',
    ],
    sentences: [
      '{Seventy|Sixty-eight|Seventy-five} per cent water is {as far as I dare go|about right for this flour}.',
      'I let it stand {overnight in the hallway|for {ten|twelve} hours in the cold}.',
      'The {first|second} loaf was {flat|pale|dense}, the {next|one after that} was better.',
      'A {lid|stone|tray of water} makes more difference than {the flour|kneading}.',
      'The starter is {nine|three|four} years old and {forgives everything|smells of apples}.',
      'Salt last, {always|or so they say}, and I {have stopped arguing|still forget it now and then}.',
      'It keeps for {four|five} days in {a cloth|the tin}.',
    ],
  },
  {
    titles: ['Along the {canal|river|ridge}', 'A {short|wet|long} walk', 'The {old railway|mill} path'],
    sentences: [
      '{Eleven|Fourteen|Nine} kilometres, {most of it flat|all of it muddy}.',
      'The path is {closed|overgrown} past the {second|old} bridge, so I {turned back|went round by the road}.',
      'Saw {a heron|two deer|a kingfisher} near the {weir|reeds|lock}.',
      'There is a {bench|stone} halfway where the wind {drops|comes from everywhere}.',
      'I {took|forgot} the {thermos|map|good boots}.',
      'Not {a soul|another walker} until the {car park|village}.',
      'Worth doing again in {October|March}, when the {leaves are down|light is low}.',
    ],
  },
  {
    titles: ['Mending the {lamp|radio|kettle}', 'A {bicycle|clock} in pieces', 'What was {wrong|loose}'],
    sentences: [
      'It was {the switch|a dry joint|the cable}, as it {nearly always|so often} is.',
      'The {screws|clips} are of a kind {nobody sells any more|I had to file a tool for}.',
      'Took {an evening|two evenings|most of Sunday} and {one|three} cups of tea.',
      'I drew {where each part went|the wiring} before taking anything out, {for once|which saved me}.',
      'A drop of {oil|contact cleaner} and it {runs|works} as if new.',
      'The spare part cost {less than the postage|four euros|nothing, from the drawer}.',
      'There is one {washer|screw} left over, which I {choose to ignore|keep in a jar}.',
    ],
  },
  {
    titles: ['Read in {spring|autumn|winter}', '{Three|Four} books', 'From the library'],
    sentences: [
      'The {first|shortest} was the best: {a diary of one year on an island|letters between two gardeners}.',
      'I gave up on {the long one|the one everybody praised} at page {ninety|sixty|two hundred}.',
      'A {history|book} of {maps|lighthouses|salt|paper} that {reads like a novel|could have been half as long}.',
      'The translation is {stiff|lively|by someone who knows boats}.',
      'Somebody before me had {underlined|corrected} {every|each} {date|name} in pencil.',
      'I keep {a list|slips of paper} of words to {look up|remember}.',
      'Returned {two days|a week} late; the fine was {forgiven|thirty cents}.',
    ],
  },
  {
    titles: ['The {weather|rain} so far', '{Fog|Snow|Wind}', 'A {quiet|grey} week'],
    sentences: [
      '{Forty|Thirty-one|Fifty-two} millimetres in the gauge since {Monday|the first}.',
      'The {barometer|old glass} fell all {morning|day} and then {nothing happened|the storm went north}.',
      'First {frost|swallows|fog} on the {ninth|twelfth|third}, {earlier|later} than last year.',
      'I write the numbers in {the same notebook|a notebook} {every|each} {morning|evening}.',
      'The {gutter|cellar} held, {for now|thankfully}.',
      'The {thermometer|gauge} on the {north wall|shed} reads a degree {high|low}.',
    ],
  },
  {
    titles: ['About this {machine|little server}', 'Moving the {site|files}', 'Backups, {again|at last}'],
    sentences: [
      'This site runs on {a small computer under the stairs|an old laptop with its lid shut}.',
      'No {comments|counters|adverts}, no {scripts|pictures}: {text and a style sheet|a few pages of text}.',
      'The {disk|fan} is {older than I would like|the only part I have replaced}.',
      'A {power cut|loose plug} took it down for {a day|two days} and {nobody noticed|one person wrote}.',
      'Copies go to {a drive in the drawer|a friend across town} on {Sundays|the first of the month}.',
      'The pages are written by hand {and served as they are|in a plain editor}.',
    ],
  },
]

export const SITE_NAMES: readonly string[] = [
  '{Small|Slow|Plain|Quiet|Loose|Odd} {notes|pages|papers|entries}',
  'Notes from the {shed|attic|allotment|kitchen table|back room|landing}',
  'The {third|upper|lower|far|left-hand} {shelf|drawer|field|bench}',
  '{Rain|Tea|Twine|Pencil|Gravel|Moss} and {paper|string|bread|solder|nettles|ink}',
]
