import type { ReactNode } from 'react';

import type { HostView } from '#shared/vault-agent-api.ts';

import { bytesText, durationText } from '../controls/amount-text.ts';
import { Moment } from '../controls/moment.tsx';
import { EventFacts } from '../feed/event-facts.tsx';
import { listOf, numberOf, partOf, textOf } from './report-reading.ts';
import type { Report } from './report-reading.ts';

const staleAfterMs = 60_000;
const megabyte = 2 ** 20;

export function HostCard({ host }: { host: HostView }) {
  const { name, report, reported_at: at } = host;
  const health = textOf(report, 'health') ?? 'unknown';
  const isStale = Date.now() - Date.parse(at) > staleAfterMs;
  const isFine = health === 'ok' && !isStale;
  return (
    <article className="card" aria-label={`Host ${name}`}>
      <div className="row">
        <h3 className="row-main">{name}</h3>
        <span className={`badge ${isFine ? 'badge-ok' : 'badge-bad'}`}>
          {isStale ? 'silent' : healthWord(health)}
        </span>
      </div>
      <div className="fact-groups">
        <FactGroup title="Gateway">
          <GatewayFacts gateway={partOf(report, 'gateway')} />
        </FactGroup>
        <FactGroup title="Watcher">
          <WatcherFacts watcher={partOf(report, 'watcher')} />
          <Fact name="Reported">
            <Moment at={at} /> by {host.reported_by}
          </Fact>
        </FactGroup>
        <FactGroup title="Machine">
          <MachineFacts machine={partOf(report, 'host')} />
        </FactGroup>
      </div>
      <EventFacts metadata={report} />
    </article>
  );
}

const healthWords = new Map([
  ['ok', 'works'],
  ['degraded', 'in trouble'],
]);
const wayWords = new Map([
  ['stream', 'by stream'],
  ['polling', 'by polling'],
  ['away', 'not: the vault is away'],
  ['stalled', 'not: the watcher cannot write to its disk'],
]);

function healthWord(health: string | null): string | null {
  return health === null ? null : (healthWords.get(health) ?? health);
}

function wayWord(way: string | null): string | null {
  return way === null ? null : (wayWords.get(way) ?? way);
}

function FactGroup({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="fact-group" aria-label={title}>
      <h4>{title}</h4>
      <dl className="facts">{children}</dl>
    </section>
  );
}

function GatewayFacts({ gateway }: { gateway: Report }) {
  const queue = partOf(gateway, 'queue');
  const usage = partOf(gateway, 'usage_24h');
  const subscription = partOf(gateway, 'subscription');
  const parkedUntil = textOf(partOf(subscription, 'parked'), 'until');
  const runs = numberOf(usage, 'runs');
  const signedIn = gateway['authenticated'];
  return (
    <>
      <TextFact
        name="State"
        text={textOf(gateway, 'reason') ?? healthWord(textOf(gateway, 'health'))}
      />
      <TextFact name="Version" text={textOf(gateway, 'version')} />
      <TextFact name="Claude Code" text={textOf(gateway, 'claude_version')} />
      <TextFact
        name="Signed in"
        text={
          signedIn === true ? 'yes' : signedIn === false ? 'no' : textOf(gateway, 'authenticated')
        }
      />
      <TextFact name="Sandbox" text={textOf(gateway, 'sandbox')} />
      {numberOf(queue, 'running') !== null && (
        <Fact name="Queue">
          {numberOf(queue, 'running')} running, {numberOf(queue, 'waiting') ?? 0} waiting
        </Fact>
      )}
      {runs !== null && (
        <Fact name="Last day">
          {runs} {runs === 1 ? 'run' : 'runs'},{' '}
          {(numberOf(usage, 'input_tokens') ?? 0).toLocaleString()} tokens in,{' '}
          {(numberOf(usage, 'output_tokens') ?? 0).toLocaleString()} out, $
          {(numberOf(usage, 'cost_usd') ?? 0).toFixed(2)}
        </Fact>
      )}
      {parkedUntil !== null && (
        <Fact name="Limit reached">
          goes on <Moment at={parkedUntil} />
        </Fact>
      )}
      {listOf(subscription, 'windows').map((window) => (
        <LimitFact key={textOf(window, 'window') ?? ''} window={window} />
      ))}
    </>
  );
}

function LimitFact({ window }: { window: Report }) {
  const used = numberOf(window, 'utilization');
  const resetsAt = textOf(window, 'resets_at');
  const name = (textOf(window, 'window') ?? 'limit').replaceAll('_', ' ');
  return (
    <Fact name={`Limit: ${name}`}>
      {used === null ? (
        (textOf(window, 'status') ?? 'not known')
      ) : (
        <Share label={name} used={used} />
      )}
      {resetsAt !== null && (
        <span className="muted">
          {' '}
          resets <Moment at={resetsAt} />
        </span>
      )}
    </Fact>
  );
}

function WatcherFacts({ watcher }: { watcher: Report }) {
  const dead = numberOf(watcher, 'dead_letters');
  return (
    <>
      <TextFact name="Version" text={textOf(watcher, 'version')} />
      <TextFact name="Messages come" text={wayWord(textOf(watcher, 'feed'))} />
      <TextFact name="Open messages" text={textOf(watcher, 'open_messages')} />
      {dead !== null && dead > 0 && <Fact name="Given up">{dead}</Fact>}
    </>
  );
}

function MachineFacts({ machine }: { machine: Report }) {
  const cpus = numberOf(machine, 'cpus');
  const load = numberOf(machine, 'load_1m');
  const uptime = numberOf(machine, 'uptime_secs');
  return (
    <>
      {cpus !== null && load !== null && (
        <Fact name="CPU">
          <Share label="CPU" used={load / Math.max(1, cpus)} text={`load ${load} on ${cpus}`} />
        </Fact>
      )}
      <RoomFact name="Memory" machine={machine} field="memory" />
      <RoomFact name="Disk" machine={machine} field="disk" />
      {uptime !== null && <Fact name="Up for">{durationText(uptime)}</Fact>}
    </>
  );
}

function RoomFact({
  name,
  machine,
  field,
}: {
  name: string;
  machine: Report;
  field: 'memory' | 'disk';
}) {
  const free = numberOf(machine, `${field}_free_mb`);
  const total = numberOf(machine, `${field}_total_mb`);
  if (free === null || total === null || total <= 0) return null;
  const text = `${bytesText(free * megabyte)} of ${bytesText(total * megabyte)} free`;
  return (
    <Fact name={name}>
      <Share label={name} used={1 - free / total} text={text} />
    </Fact>
  );
}

function Share({ label, used, text }: { label: string; used: number; text?: string }) {
  const share = Math.min(1, Math.max(0, used));
  const percent = `${Math.round(share * 100)} %`;
  return (
    <span className="meter">
      <meter min={0} max={1} high={0.85} value={share} aria-label={`${label}: ${percent} used`} />
      {text ?? percent}
    </span>
  );
}

function TextFact({ name, text }: { name: string; text: string | null }) {
  return text === null ? null : <Fact name={name}>{text}</Fact>;
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="facts-row">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
