// Reads the events of a run as a client does, until the stream ends or breaks.
import { createParser } from 'eventsource-parser';
import type { EventSourceMessage } from 'eventsource-parser';

export type StreamRead = {
  status: number;
  events: { id: number | null; type: string; data: Record<string, unknown> }[];
  /** It ended as it should, and was not cut. */
  isWhole: boolean;
};

export async function readToEnd(url: string, init: RequestInit): Promise<StreamRead> {
  const read: StreamRead = { status: 0, events: [], isWhole: false };
  const onEvent = ({ id, event, data }: EventSourceMessage): void => {
    const number = id === undefined ? null : Number(id);
    read.events.push({ id: number, type: event ?? 'message', data: JSON.parse(data) });
  };
  const parser = createParser({ onEvent });
  try {
    const response = await fetch(url, init);
    read.status = response.status;
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      parser.feed(decoder.decode(chunk, { stream: true }));
    }
    read.isWhole = true;
  } catch {
    // What came so far is what there is.
  }
  return read;
}
