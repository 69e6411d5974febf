// One message from its claim to its answer. Each step is in the journal before the next one relies on it, so that whoever takes over
// after a crash goes on where it was:
//   stored   nothing has been asked of the gateway
//   started  a run was asked for, under a key of the message and the attempt
//   ended    what is to be posted is known
//   posting  it may have been posted: it is looked for before it is posted again
//   posted, skipped (somebody else has answered), dead (given up; one notice in the feed)
import type { Clock } from '#shared/clock.ts';
import { isoTime } from '#shared/clock.ts';
import { GatewayError } from '#shared/gateway-client-error.ts';
import type { GatewayClient } from '#shared/gateway-client.ts';
import type { RunRequest, RunView } from '#shared/gateway-run-api.ts';
import type { Log } from '#shared/log.ts';
import { VaultError } from '#shared/vault-client-error.ts';
import type { VaultClient } from '#shared/vault-client.ts';

import type { WatchedAgent } from '../agent-roster.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { Message } from '../journal/journal-store.ts';
import type { Journal } from '../journal/journal.ts';
import { answerOf, noticeOf, sentenceOf } from './answer-event.ts';
import type { AnswerEvent } from './answer-event.ts';
import { createDeltaPoster } from './delta-poster.ts';
import { keepLease } from './lease-keeper.ts';
import { buildRunRequest } from './run-request.ts';

export type MessageAnswering = {
  /** Resolves when the message is done with, or with when to look at it again. Throws for what has nothing to do with the message. */
  answer: (
    message: Message,
    agent: WatchedAgent,
    signals: AnswerSignals,
  ) => Promise<'done' | 'later'>;
};

export type AnswerSignals = {
  /** The watcher stops: it goes on with the next start. */
  stop: AbortSignal;
  /** Whoever asked does not want the answer any more. */
  cancel: AbortSignal;
};

export type MessageAnsweringParts = {
  vault: VaultClient;
  gateway: GatewayClient;
  journal: Journal;
  /** Tells this watcher's claims from those of another one with the same key. */
  watcherId: string;
  leaseSecs: number;
  attemptsMax: number;
  checkpoint: Checkpoint;
  clock: Clock;
  log: Log;
};

const retryDelaySecs = 5;
const operatorDelaySecs = 10;
const parkedNoticeAfterMs = 3000;

export function createMessageAnswering(parts: MessageAnsweringParts): MessageAnswering {
  const { vault, gateway, journal, clock, checkpoint, log } = parts;

  /** One that was given up and is tried again has as many as at first. */
  const hasAttempts = ({ attempt }: Message): boolean => attempt % parts.attemptsMax !== 0;
  /** Whether the fence is still that of the claim; the lease begins anew. */
  const isHeld = async (eventId: string, fence: number, signal: AbortSignal): Promise<boolean> => {
    try {
      await vault.renew(eventId, { fence, leaseSecs: parts.leaseSecs, signal });
      return true;
    } catch (err) {
      if (isConflict(err)) return false;
      throw err;
    }
  };
  /** `later` while somebody else has it. A watcher that was killed has its own again at once. */
  const claim = async (
    message: Message,
    stop: AbortSignal,
  ): Promise<Message | 'later' | 'answered'> => {
    const { eventId, fence } = message;
    if (fence !== null && (await isHeld(eventId, fence, stop))) return message;
    const wasAsked = fence === null && message.claims > 0;
    const claims = wasAsked ? message.claims : message.claims + 1;
    const asked = wasAsked ? message : await journal.change(message, { claims, fence: null });
    const options = {
      leaseSecs: parts.leaseSecs,
      // One that was given up is answered as far as the vault knows.
      reopen: message.replayed === 1 && message.state === 'stored',
      idempotencyKey: `claim:${parts.watcherId}:${eventId}:${claims}`,
      signal: stop,
    };
    try {
      const given = await vault.claim(eventId, options);
      checkpoint('claimed');
      const claimed = await journal.change(asked, { fence: given.fence });
      // What an earlier request was given may be over: then another claim is asked for.
      return wasAsked ? await claim(claimed, stop) : claimed;
    } catch (err) {
      if (!isConflict(err)) throw err;
      return err.details?.['state'] === 'answered' ? 'answered' : 'later';
    }
  };
  const start = async (
    message: Message,
    agent: WatchedAgent,
    stop: AbortSignal,
  ): Promise<Message> => {
    if (message.state !== 'stored') return message;
    const request = await buildRunRequest(parts, message, agent, stop);
    const attempt = message.attempt + 1;
    return journal.change(message, {
      ...{ state: 'started', attempt, request: JSON.stringify(request), runId: null },
    });
  };
  const submit = async (message: Message, stop: AbortSignal): Promise<Message> => {
    const request: RunRequest = JSON.parse(message.request ?? '{}');
    const idempotencyKey = `${message.eventId}:${message.attempt}`;
    const { run_id: runId } = await gateway.submit(request, { idempotencyKey, signal: stop });
    checkpoint('run_started');
    return journal.change(message, { runId });
  };
  const follow = async (message: Message, { stop, cancel }: AnswerSignals): Promise<RunView> => {
    const { eventId, agentId, attempt, fence } = message;
    const runId = message.runId ?? '';
    const callOff = (): void => void gateway.cancel(runId, { signal: stop }).catch(() => {});
    if (cancel.aborted) callOff();
    else cancel.addEventListener('abort', callOff, { once: true });
    const answer = { agentId, eventId, fence: fence ?? 0, runId, attempt };
    await using deltas = createDeltaPoster({ vault, clock }, answer);
    await using parked = tellWhenParked(message, runId, stop);
    void parked;
    try {
      for await (const event of gateway.events(runId, { signal: stop })) {
        if (event.type === 'message.delta') deltas.add(event.data.message, event.data.text);
        if (event.type === 'retry') deltas.supersede(event.data.superseded);
      }
    } catch (err) {
      stop.throwIfAborted();
      // Its events may be gone; how it ended is not.
      log.warn({ err, run_id: runId }, 'the events of a run broke off');
    } finally {
      cancel.removeEventListener('abort', callOff);
    }
    return gateway.waitFor(runId, { signal: stop });
  };
  /** Says once in the feed that a run waits for a limit, and until when. */
  const tellWhenParked = (message: Message, runId: string, stop: AbortSignal): AsyncDisposable => {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, stop]);
    const look = async (): Promise<void> => {
      await clock.sleep(parkedNoticeAfterMs, signal);
      const { waits_until: until } = await gateway.get(runId, { signal });
      if (until === undefined) return;
      const content = `The limit of the subscription is reached. It goes on at ${until}.`;
      const metadata = { notice: 'limit', waits_until: until, run_id: runId };
      const { agentId, eventId } = message;
      const event = { event_type: 'system', content, reply_to: eventId, metadata };
      const idempotencyKey = `limit:${eventId}:${until}`;
      await vault.post(agentId, event, { idempotencyKey, signal });
    };
    const looking = look().catch(() => {});
    return {
      async [Symbol.asyncDispose]() {
        over.abort();
        await looking;
      },
    };
  };
  const run = async (
    message: Message,
    agent: WatchedAgent,
    signals: AnswerSignals,
  ): Promise<Message> => {
    const { stop, cancel } = signals;
    if (cancel.aborted && message.state === 'stored') {
      return keep(message, noticeFor(message, 'cancelled', '', null));
    }
    let current = message;
    try {
      current = await start(current, agent, stop);
      current = await submit(current, stop);
      const view = await follow(current, signals);
      checkpoint('run_ended');
      return await settle(current, view);
    } catch (err) {
      stop.throwIfAborted();
      if (err instanceof GatewayError) return refused(current, err);
      // A file of the message is not there any more.
      if (!isRefusedForGood(err)) throw err;
      return keep(current, noticeFor(current, 'attachment_lost', err.message, null));
    }
  };
  const settle = async (message: Message, view: RunView): Promise<Message> => {
    if (view.outcome === 'completed') {
      const hasForgotten = message.error === sessionGone;
      return keep(message, answerOf(message.eventId, view, hasForgotten));
    }
    const outcome = view.outcome ?? 'internal';
    const { error } = view;
    if (error !== undefined && waitsForOperator(outcome)) {
      return parkForOperator(message, outcome, error.message, 'stored');
    }
    const isAgain = error?.retryable === true && hasAttempts(message);
    if (isAgain) return later(message, error.message, error.retry_after_secs);
    const sentence = error?.message ?? 'the run failed';
    return keep(message, noticeFor(message, outcome, sentence, view.run_id));
  };
  /** The gateway has not taken it, or is away. */
  const refused = async (message: Message, err: GatewayError): Promise<Message> => {
    const isSessionGone =
      err.code === 'not_found' && message.request?.includes('"session_id"') === true;
    if (isSessionGone) {
      await journal.forgetSession(message.conversation);
      return later(message, sessionGone, 0);
    }
    if (waitsForOperator(err.code)) {
      return parkForOperator(message, err.code, err.message, message.state);
    }
    // Away or full: that is not the fault of the message, which waits as long as it takes.
    const isPatient = err.status === null || err.status === 429 || err.code === 'draining';
    if (isPatient || (err.retryable && hasAttempts(message))) {
      return later(message, err.message, err.retryAfterSecs, isPatient);
    }
    return keep(message, noticeFor(message, err.code, err.message, null));
  };
  /** What nobody but the operator can mend is said once; then the message waits for that, as long as it takes. */
  const parkForOperator = async (
    message: Message,
    code: string,
    sentence: string,
    state: Message['state'],
  ): Promise<Message> => {
    const { agentId, eventId } = message;
    const content = `${operatorMatters.get(code)}: ${sentence.trim().replace(/[.!]?$/, '.')} It goes on by itself after that.`;
    const event = { event_type: 'system', content, reply_to: eventId, metadata: { notice: code } };
    // Told again only after something else was the matter.
    if (message.error !== content) {
      await vault.post(agentId, event, { idempotencyKey: `${code}:${eventId}:${message.attempt}` });
    }
    log.warn({ event_id: eventId, code, reason: sentence }, 'a message waits for the operator');
    const notBefore = isoTime(clock.now() + operatorDelaySecs * 1000);
    return journal.change(message, { state, notBefore, error: content });
  };
  const later = (
    message: Message,
    error: string,
    afterSecs = retryDelaySecs,
    isUncounted = false,
  ): Promise<Message> => {
    log.info(
      { event_id: message.eventId, reason: error, attempt: message.attempt },
      'a message waits',
    );
    const notBefore = isoTime(clock.now() + afterSecs * 1000);
    // The same attempt again, under the same key: the gateway may have heard the first.
    const state = isUncounted && message.state === 'started' ? 'started' : 'stored';
    return journal.change(message, { state, notBefore, error });
  };
  const keep = async (message: Message, answer: AnswerEvent): Promise<Message> => {
    const kept = await journal.change(message, { state: 'ended', answer: JSON.stringify(answer) });
    checkpoint('answer_stored');
    return kept;
  };
  const post = async (message: Message, stop: AbortSignal): Promise<Message> => {
    const answer: AnswerEvent = JSON.parse(message.answer ?? '{}');
    const { agentId, eventId, attempt, fence } = message;
    const key = `answer:${eventId}:${attempt}`;
    if (message.state === 'posting') {
      const there = await vault.eventOfKey(agentId, key, { signal: stop });
      if (there !== null) return posted(message, answer);
    }
    const marked = await journal.change(message, { state: 'posting' });
    checkpoint('posting_marked');
    const sending = vault.post(
      agentId,
      { ...answer, fence: fence ?? 0 },
      { idempotencyKey: key, signal: stop },
    );
    checkpoint('post_sent');
    try {
      await sending;
    } catch (err) {
      // It would refuse it each time; a sentence of ours it takes.
      const isHopeless = isRefusedForGood(err) && answer.event_type === 'assistant_message';
      if (!isHopeless) throw err;
      const sentence = `the vault does not take the answer (${err.message})`;
      const runId = message.runId;
      const notice = noticeFor(message, 'answer_refused', sentence, runId);
      return post(await keep(message, notice), stop);
    }
    checkpoint('post_acked');
    return posted(marked, answer);
  };
  const posted = async (message: Message, answer: AnswerEvent): Promise<Message> => {
    const isDead =
      answer.event_type !== 'assistant_message' && answer.metadata?.['outcome'] !== 'cancelled';
    const done = await journal.change(message, {
      state: isDead ? 'dead' : 'posted',
      notBefore: null,
    });
    checkpoint('posted');
    return done;
  };
  return {
    async answer(message, agent, signals) {
      const { stop } = signals;
      const claimed = await claim(message, stop);
      if (claimed === 'later') return 'later';
      if (claimed === 'answered') {
        // By this watcher before it was killed, perhaps.
        await journal.change(message, { state: 'skipped' });
        return 'done';
      }
      const { eventId } = message;
      const lease = { eventId, fence: claimed.fence ?? 0, leaseSecs: parts.leaseSecs };
      await using kept = keepLease({ vault, clock }, lease);
      const hasAnswer = claimed.state === 'ended' || claimed.state === 'posting';
      const ended = hasAnswer ? claimed : await run(claimed, agent, signals);
      if (ended.state === 'stored' || ended.state === 'started' || kept.isLost()) {
        await vault.release(eventId, { fence: lease.fence, signal: stop }).catch(() => {});
        return 'later';
      }
      try {
        await post(ended, stop);
        return 'done';
      } catch (err) {
        // The lease was over before the answer came: it is claimed anew, and posted under that claim.
        if (isConflict(err)) return 'later';
        throw err;
      }
    },
  };
}

function noticeFor(
  { eventId, attempt }: Message,
  outcome: string,
  sentence: string,
  runId: string | null,
): AnswerEvent {
  return noticeOf(eventId, { outcome, sentence: sentenceOf(outcome, sentence), runId, attempt });
}

/** What the gateway says while only its operator can mend it, and how that is called in the feed. */
const operatorMatters: ReadonlyMap<string, string> = new Map([
  ['auth', 'Login needed'],
  ['billing', 'The account of the gateway does not pay'],
  ['cli_missing', 'The gateway has no claude'],
  ['unauthorized', "The gateway does not take the watcher's token (npm run rotate makes another)"],
  ['forbidden', 'The gateway does not let the watcher in'],
  ['wrong_host', 'The gateway is called by a name that it does not go by'],
]);
const sessionGone = 'its session was gone';

function waitsForOperator(code: string): boolean {
  return operatorMatters.has(code);
}

/** The same request would be refused again: not a matter of time, of rights or of a claim. */
function isRefusedForGood(err: unknown): err is VaultError {
  return err instanceof VaultError && [400, 404, 410, 413, 415, 422].includes(err.status ?? 0);
}

function isConflict(err: unknown): err is VaultError {
  return err instanceof VaultError && err.status === 409;
}
