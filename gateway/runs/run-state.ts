// The states of a run and the moves between them. Each move is one transaction with its event, and with the audit row when it ends.
//
//            claim            begin              end
//   queued ─────────▶ starting ─────────▶ running ─────────▶ ended
//     ▲ ▲                │ │                 │                 ▲
//     │ └────putBack─────┘ └──────end────────┼─────────────────┤
//     └──────putBack─────────────────────────┘                 │
//     └────────────────────────────────────end─────────────────┘
//
// queued    waits for its turn: in the database alone, it costs no process
// starting  has its turn: the process is being made and has been told nothing yet, so that it may be put back without harm
// running   its process gets the request: put back only when the app has said `on_interrupt: "retry"`
// ended     in exactly one outcome
export const runStates = ['queued', 'starting', 'running', 'ended'] as const;
export type RunState = (typeof runStates)[number];

export const runMoves = {
  claim: { from: ['queued'], to: 'starting' },
  begin: { from: ['starting'], to: 'running' },
  putBack: { from: ['starting', 'running'], to: 'queued' },
  end: { from: ['queued', 'starting', 'running'], to: 'ended' },
} as const satisfies Record<string, { from: readonly RunState[]; to: RunState }>;

export type RunMove = keyof typeof runMoves;

/** A run that takes the gateway down with it is not tried for ever. */
export const attemptsMax = 3;

export type RunFate = 'wait' | 'interrupted' | 'cancelled';

/** What becomes of a run that was open when the gateway stopped, however it stopped. */
export function fateOf(run: {
  state: RunState;
  isDetached: boolean;
  onInterrupt: 'fail' | 'retry';
  attempt: number;
  isCancelAsked: boolean;
  isAppRevoked: boolean;
}): RunFate {
  if (run.isCancelAsked || run.isAppRevoked) return 'cancelled';
  const isAgainWanted = run.onInterrupt === 'retry';
  // Nobody waits for it any more.
  if (!run.isDetached && !isAgainWanted) return 'interrupted';
  if (run.state === 'running' && !isAgainWanted) return 'interrupted';
  return run.attempt < attemptsMax ? 'wait' : 'interrupted';
}
