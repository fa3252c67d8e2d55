import { createHash } from 'node:crypto'
import { Draw } from './draw.js'
import { SITE_NAMES, TOPICS } from './topics.js'

export interface Page {
  readonly type: string
  readonly body: Buffer
  readonly etag: string
  readonly lastModified: Date
}
export interface Site {
  /** By path, as in the request line. */
  readonly pages: ReadonlyMap<string, Page>
  readonly notFound: Page
  readonly cacheControl: string
}

interface Note {
  readonly path: string
  readonly title: string
  readonly date: Date
  readonly paragraphs: readonly string[]
}
interface Frame {
  readonly name: string
  readonly css: string
  readonly language: string
  readonly nav: string
  readonly footer: string
  readonly root: 'main' | 'article' | 'div'
  readonly utf8: string
}

const DAY_MS = 86_400_000
const FIRST_DAY = Date.UTC(2019, 0, 1)
const ETAG_CHARACTERS = 20

/** The web site of one installation: a few pages of somebody's notes, the same for the same seed. Nothing is fetched. */
export function buildSite(seed: Uint8Array): Site {
  const draw = new Draw(seed)
  const frame = drawFrame(draw)
  const notes = drawNotes(draw)
  const newest = notes[0]?.date ?? new Date(FIRST_DAY)
  const html = (title: string, inner: string, date = newest) =>
    page(`text/html; charset=${frame.utf8}`, layout(frame, title, inner), date)
  const pages = new Map<string, Page>([
    ['/', html(frame.name, index(draw, frame, notes))],
    ['/about', html('About', about(draw))],
    [frame.css, page(`text/css; charset=${frame.utf8}`, drawStyle(draw), new Date(FIRST_DAY))],
    [
      '/robots.txt',
      page(`text/plain; charset=${frame.utf8}`, 'User-agent: *\nDisallow:\n', new Date(FIRST_DAY)),
    ],
  ])
  for (const note of notes) pages.set(note.path, html(note.title, noteHtml(note), note.date))
  return {
    pages,
    notFound: html(
      'Not found',
      draw.text('<p>{There is nothing here|No such page|That page is not here}.</p>'),
    ),
    cacheControl: draw.one(['private', 'no-cache', 'private, max-age=60', 'private, max-age=300']),
  }
}

function drawFrame(draw: Draw): Frame {
  const name = draw.text(draw.one(SITE_NAMES))
  return {
    name,
    css: draw.text('/{style|main|site|look|plain}.css'),
    language: draw.one(['en', 'en-GB', 'en-IE']),
    nav: draw.text(
      '<a href="/">{Start|Home|Notes|Index}</a> {&middot;|/||&mdash;} <a href="/about">About</a>',
    ),
    footer: draw.text(
      '{Written by hand|Plain pages, no scripts|Kept at home|Kept small on purpose|Last tidied in spring}',
    ),
    root: draw.one(['main', 'article', 'div']),
    utf8: draw.one(['utf-8', 'UTF-8']),
  }
}

function drawNotes(draw: Draw): Note[] {
  const titles = new Set<string>()
  let day = FIRST_DAY + draw.between(30, 1200) * DAY_MS
  const notes = Array.from({ length: draw.between(5, 11) }, () => {
    day += draw.between(9, 120) * DAY_MS
    return drawNote(draw, new Date(day + draw.between(7 * 3600, 22 * 3600) * 1000), titles)
  })
  return notes.reverse()
}

function drawNote(draw: Draw, date: Date, taken: Set<string>): Note {
  const topic = draw.one(TOPICS)
  let title = draw.text(draw.one(topic.titles))
  while (taken.has(title)) title = `${title}, ${draw.one(['more', 'continued', 'a correction', 'later'])}`
  taken.add(title)
  const slug = title.toLowerCase().replace(/[^a-z]+/g, '-')
  const sentences = draw.some(topic.sentences, draw.between(3, 6)).map((each) => draw.text(each))
  const cut = draw.between(1, sentences.length - 1)
  const paragraphs = [sentences.slice(0, cut).join(' '), sentences.slice(cut).join(' ')]
  return { path: `/notes/${slug}`, title, date, paragraphs }
}

function index(draw: Draw, frame: Frame, notes: readonly Note[]): string {
  const welcome = draw.text('{Things I want to remember|Notes, when there are any|Mostly for myself}.')
  const items = notes.map(
    (note) => `<li><a href="${note.path}">${note.title}</a> <small>${day(note)}</small></li>`,
  )
  return `<h1>${frame.name}</h1>\n<p>${welcome}</p>\n<ul>\n${items.join('\n')}\n</ul>`
}

function about(draw: Draw): string {
  const who = draw.text(
    'I {live in a small town|live near the river|work with my hands} and {write things down|keep notes}.',
  )
  const how = draw.text('{This|The whole} site is {served from home|a folder of pages on a machine at home}.')
  return `<h1>About</h1>\n<p>${who} ${how}</p>`
}

function noteHtml(note: Note): string {
  const text = note.paragraphs.map((each) => `<p>${each}</p>`).join('\n')
  return `<h1>${note.title}</h1>\n<p><small>${day(note)}</small></p>\n${text}`
}

function layout(frame: Frame, title: string, inner: string): string {
  const heading = title === frame.name ? title : `${title} &ndash; ${frame.name}`
  return `<!doctype html>
<html lang="${frame.language}">
<head>
<meta charset="${frame.utf8}">
<title>${heading}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${frame.css}">
</head>
<body>
<nav>${frame.nav}</nav>
<${frame.root}>
${inner}
</${frame.root}>
<footer><small>${frame.footer}</small></footer>
</body>
</html>
`
}

function drawStyle(draw: Draw): string {
  const hue = draw.number(360)
  const font = draw.one([
    'Georgia, serif',
    'system-ui, sans-serif',
    'Charter, Georgia, serif',
    'ui-monospace, monospace',
  ])
  return `body { max-width: ${draw.between(30, 44)}rem; margin: ${draw.between(1, 4)}rem auto; padding: 0 1rem;
  font: ${draw.between(16, 20)}px/1.${draw.between(4, 7)} ${font}; color: hsl(${hue} 20% ${draw.between(12, 24)}%);
  background: hsl(${draw.number(360)} ${draw.between(10, 40)}% ${draw.between(94, 99)}%) }
a { color: hsl(${hue} ${draw.between(40, 80)}% ${draw.between(28, 42)}%) }
small { opacity: .${draw.between(6, 8)} }
li { margin: .${draw.between(2, 6)}rem 0 }
`
}

function day(note: Note): string {
  return note.date.toISOString().slice(0, 10)
}

function page(type: string, text: string, lastModified: Date): Page {
  const body = Buffer.from(text, 'utf8')
  const digest = createHash('sha1').update(body).digest('base64url').slice(0, ETAG_CHARACTERS)
  return { type, body, etag: `"${digest}"`, lastModified }
}
