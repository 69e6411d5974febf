// Bytes into lines, with a limit on how much an unfinished line may hold.
export type LineSplitter = {
  /** Lines that this chunk completed, without their newline. Throws LineTooLongError. */
  push(chunk: Buffer): string[];
  /** What is left without a newline at the end of the stream. */
  rest(): string;
};

export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';
}

const newline = 0x0a;

export function createLineSplitter(maxLineBytes: number): LineSplitter {
  let pieces: Buffer[] = [];
  let pieceBytes = 0;

  const takeLine = (last: Buffer): string => {
    const line = pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
    pieces = [];
    pieceBytes = 0;
    return line.toString('utf8');
  };
  return {
    push(chunk) {
      const lines: string[] = [];
      let start = 0;
      for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
        lines.push(takeLine(chunk.subarray(start, end)));
        start = end + 1;
      }
      const left = chunk.subarray(start);
      pieceBytes += left.length;
      if (pieceBytes > maxLineBytes) {
        pieces = [];
        throw new LineTooLongError(`a line of more than ${maxLineBytes} bytes`);
      }
      if (left.length > 0) pieces.push(left);
      return lines;
    },
    rest: () => takeLine(Buffer.alloc(0)),
  };
}
