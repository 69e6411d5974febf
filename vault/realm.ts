/** The only one, until there are others: every row names it. */
export const realm = 'main';
