import { describe, expect, test } from 'vitest';

import { createMediaTypeTeller } from '#shared/uploads/media-type.ts';

function typeOf(...chunks: Buffer[]): string | null {
  const teller = createMediaTypeTeller();
  for (const chunk of chunks) teller.push(chunk);
  return teller.mediaType();
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const text = (content: string): Buffer => Buffer.from(content);

const table: [name: string, bytes: Buffer, mediaType: string | null][] = [
  ['PNG', hex('89504e470d0a1a0a 0000000d49484452 ff'), 'image/png'],
  ['PNG with only its signature', hex('89504e470d0a1a0a'), 'image/png'],
  ['half a PNG signature', hex('89504e47'), null],
  ['PNG damaged by a text mode transfer', hex('89504e470a1a0a 0000000d49484452'), null],
  ['JPEG', hex('ffd8ffe0 00104a46494600 0101'), 'image/jpeg'],
  ['GIF of 1987', Buffer.concat([text('GIF87a'), hex('0100010080')]), 'image/gif'],
  ['GIF of 1989', Buffer.concat([text('GIF89a'), hex('0100010080')]), 'image/gif'],
  ['GIF of another year', text('GIF90a is text'), 'text/plain'],
  ['WebP', Buffer.concat([text('RIFF'), hex('22000000'), text('WEBPVP8 ')]), 'image/webp'],
  ['a sound in RIFF', Buffer.concat([text('RIFF'), hex('22000000'), text('WAVEfmt ')]), null],
  ['PDF', Buffer.concat([text('%PDF-1.7\n'), hex('25e2e3cfd3')]), 'application/pdf'],
  ['PDF of plain text', text('%PDF-1.4\n1 0 obj'), 'application/pdf'],
  ['text', text('hello'), 'text/plain'],
  ['one character', text('x'), 'text/plain'],
  ['text of every width', text('a é € 😀 \u202e \u2028 \u001b[31m\r\n'), 'text/plain'],
  ['text with a byte order mark', text('\ufeffhello'), 'text/plain'],
  ['a program in text', text('#!/bin/sh\nrm -rf /\n'), 'text/plain'],
  ['SVG', text('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'text/plain'],
  ['text with NUL', text('hello\0world, and more of it'), null],
  ['UTF-16', Buffer.from('\ufeffhello world', 'utf16le'), null],
  ['Latin-1', Buffer.from('caf\u00e9 and more text after it', 'latin1'), null],
  ['text that ends within a character', hex('68656c6c6f20776f726c6420 f09f98'), null],
  ['an overlong character', hex('68656c6c6f20776f726c6420 c0af 20'), null],
  ['a surrogate as UTF-8', hex('68656c6c6f20776f726c6420 eda080 20'), null],
  ['ZIP', hex('504b0304 140000000800 ffff'), null],
  ['ELF', hex('7f454c46 020101 00 00000000 0000'), null],
  ['a program for Windows', hex('4d5a90000300000004000000ffff'), null],
  ['nothing', Buffer.alloc(0), 'text/plain'],
];

describe.each(table)('%s', (_name, bytes, mediaType) => {
  test('is told from its bytes', () => {
    expect(typeOf(bytes)).toBe(mediaType);
  });

  test('wherever they are cut', () => {
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(typeOf(bytes.subarray(0, at), bytes.subarray(at))).toBe(mediaType);
    }
    expect(typeOf(...[...bytes].map((byte) => Buffer.of(byte)))).toBe(mediaType);
  });
});

test('what can no longer be accepted is known before the end', () => {
  const teller = createMediaTypeTeller();
  teller.push(Buffer.from('text '.repeat(100)));
  expect(teller.isHopeless()).toBe(false);
  teller.push(Buffer.of(0));
  expect(teller.isHopeless()).toBe(true);
});
