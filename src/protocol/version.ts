/** Version of the messages and of the attempt's files. A node that speaks another one is shipped the new program; attempts of the old one finish with theirs. */
export const PROTOCOL = 1;
