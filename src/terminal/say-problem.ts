/** What an audit says of a receipt, in words (SPEC § 4.8); none of these is damage of the log. */
export const RECEIPT_PROBLEMS: Readonly<Record<string, string>> = {
  'receipt-signature': 'its owner did not sign this receipt',
  'receipt-other-log': 'the receipt is of another log',
  'receipt-link': 'the log is another one since then than the receipt says',
  'receipt-range': 'the receipt is of a place that is not in this export',
  'receipt-unreached': 'damage lies before that place, nothing can be said',
  'rolled-back': 'the log ends before that place: an older state was put back',
}
