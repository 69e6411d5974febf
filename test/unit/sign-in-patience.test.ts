import { describe, expect, test } from 'vitest';

import { createSignInPatience } from '../../vault/identity/sign-in-patience.ts';
import type { SignInPatience } from '../../vault/identity/sign-in-patience.ts';

const home = '192.168.1.10';
const elsewhere = '192.168.1.66';

function createPatience() {
  const time = { ms: 0, wallMs: 0 };
  const clock = {
    now: () => time.wallMs,
    monotonicMs: () => time.ms,
    sleep: () => Promise.resolve(),
  };
  return { patience: createSignInPatience(clock), time };
}

/** The waits told to a number of attempts, each wrong when it was let in. */
function wrongly(
  patience: SignInPatience,
  times: number,
  account = 'ada',
  address = elsewhere,
): (number | null)[] {
  return Array.from({ length: times }, () => {
    const wait = patience.waitSecs(account, address);
    if (wait === null) patience.noteWrong(account, address);
    return wait;
  });
}

describe('one account from one address', () => {
  test('after five wrong in a row the wait doubles from 1 s to 300 s', () => {
    const { patience, time } = createPatience();
    expect(wrongly(patience, 5)).toEqual([null, null, null, null, null]);
    const waits: (number | null)[] = [];
    for (let n = 0; n < 11; n += 1) {
      const wait = patience.waitSecs('ada', elsewhere);
      waits.push(wait);
      time.ms += (wait ?? 0) * 1000 - 1;
      expect(patience.waitSecs('ada', elsewhere)).toBe(1);
      time.ms += 1;
      expect(wrongly(patience, 1)).toEqual([null]);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  test('asking too early does not prolong the wait', () => {
    const { patience, time } = createPatience();
    wrongly(patience, 8);
    for (time.ms = 0; time.ms < 1000; time.ms += 10) patience.waitSecs('ada', elsewhere);
    expect(patience.waitSecs('ada', elsewhere)).toBeNull();
  });

  test('the right password ends it', () => {
    const { patience, time } = createPatience();
    wrongly(patience, 5);
    time.ms += 1000;
    expect(patience.waitSecs('ada', elsewhere)).toBeNull();
    patience.noteRight('ada', elsewhere);
    expect(wrongly(patience, 6)).toEqual([null, null, null, null, null, 1]);
  });

  test('a thousand attempts at once are no more than five', () => {
    const { patience } = createPatience();
    const waits = Array.from({ length: 1000 }, () => patience.waitSecs('ada', elsewhere));
    expect(waits.filter((wait) => wait === null)).toHaveLength(5);
    for (let n = 0; n < 5; n += 1) patience.noteWrong('ada', elsewhere);
    expect(patience.waitSecs('ada', elsewhere)).toBe(1);
  });

  test('an attempt whose end is never told counts as wrong', () => {
    const { patience, time } = createPatience();
    for (let n = 0; n < 5; n += 1) expect(patience.waitSecs('ada', elsewhere)).toBeNull();
    expect(patience.waitSecs('ada', elsewhere)).toBe(1);
    time.ms += 1000;
    expect(patience.waitSecs('ada', elsewhere)).toBeNull();
    expect(patience.waitSecs('ada', elsewhere)).toBe(2);
  });

  test('the wait begins when the wrong password is known, however long the check took', () => {
    const { patience, time } = createPatience();
    wrongly(patience, 4);
    expect(patience.waitSecs('ada', elsewhere)).toBeNull();
    time.ms += 5000;
    patience.noteWrong('ada', elsewhere);
    expect(patience.waitSecs('ada', elsewhere)).toBe(1);
  });

  test('after an hour of quiet it is forgotten, not before', () => {
    const { patience, time } = createPatience();
    wrongly(patience, 5);
    time.ms = 3_599_999;
    expect(wrongly(patience, 2)).toEqual([null, 2]);
    time.ms += 3_600_000;
    expect(wrongly(patience, 6)).toEqual([null, null, null, null, null, 1]);
  });

  test('the wall clock does not matter', () => {
    const { patience, time } = createPatience();
    wrongly(patience, 5);
    time.wallMs += 86_400_000;
    expect(patience.waitSecs('ada', elsewhere)).toBe(1);
  });
});

describe('all accounts from one address', () => {
  test('after 30 wrong in ten minutes the address waits until the first is forgotten', () => {
    const { patience, time } = createPatience();
    for (let n = 0; n < 30; n += 1) {
      expect(wrongly(patience, 1, `user-${n}`)).toEqual([null]);
      time.ms += 1000;
    }
    expect(patience.waitSecs('user-30', elsewhere)).toBe(570);
    time.ms = 599_999;
    expect(patience.waitSecs('user-30', elsewhere)).toBe(1);
    time.ms = 600_000;
    expect(wrongly(patience, 2, 'user-30')).toEqual([null, 1]);
  });

  test('many at once are no more than 30', () => {
    const { patience } = createPatience();
    const waits = Array.from({ length: 1000 }, (_, n) => patience.waitSecs(`u${n}`, elsewhere));
    expect(waits.filter((wait) => wait === null)).toHaveLength(30);
  });

  test('right passwords are not counted, but do not undo the wrong ones', () => {
    const { patience } = createPatience();
    for (let n = 0; n < 100; n += 1) {
      expect(patience.waitSecs('mallory', elsewhere)).toBeNull();
      patience.noteRight('mallory', elsewhere);
    }
    for (let n = 0; n < 30; n += 1) {
      expect(wrongly(patience, 1, `user-${n}`)).toEqual([null]);
      if (n === 29) break;
      patience.waitSecs('mallory', elsewhere);
      patience.noteRight('mallory', elsewhere);
    }
    expect(patience.waitSecs('user-30', elsewhere)).toBe(600);
  });
});

test('another address is never affected', () => {
  const { patience, time } = createPatience();
  for (time.ms = 0; time.ms < 7_200_000; time.ms += 1000) {
    wrongly(patience, 3);
    wrongly(patience, 1, `user-${time.ms}`);
  }
  wrongly(patience, 1);
  expect(patience.waitSecs('ada', elsewhere)).not.toBeNull();
  expect(wrongly(patience, 5, 'ada', home)).toEqual([null, null, null, null, null]);
  time.ms += 1000;
  expect(patience.waitSecs('ada', home)).toBeNull();
});

test('one address cannot make another forgotten', () => {
  const { patience } = createPatience();
  wrongly(patience, 5);
  for (let n = 0; n < 100_000; n += 1) patience.waitSecs(`user-${n}`, home);
  expect(patience.waitSecs('ada', elsewhere)).toBe(1);
});

test('of very many addresses those silent for longest are forgotten', () => {
  const { patience } = createPatience();
  wrongly(patience, 5);
  for (let n = 0; n < 4095; n += 1) wrongly(patience, 1, 'ada', `address-${n}`);
  expect(patience.waitSecs('ada', elsewhere)).toBe(1);
  for (let n = 0; n < 4096; n += 1) wrongly(patience, 1, 'ada', `other-${n}`);
  expect(patience.waitSecs('ada', elsewhere)).toBeNull();
});

test('a name cannot be made to look like another pair', () => {
  const { patience } = createPatience();
  wrongly(patience, 5, 'b ada', '10.0.0.1');
  expect(patience.waitSecs('ada', '10.0.0.1 b')).toBeNull();
  expect(patience.waitSecs('ada', '10.0.0.1')).toBeNull();
});
