import { useEffect, useState } from 'react';

import { Icon } from './icon.tsx';

const shownMs = 2000;

export function CopyButton({ text, label = 'Copy' }: { text: () => string; label?: string }) {
  const [result, setResult] = useState<'copied' | 'failed' | null>(null);
  useEffect(() => {
    if (result === null) return undefined;
    const timer = setTimeout(() => setResult(null), shownMs);
    return () => clearTimeout(timer);
  }, [result]);
  const copy = async (): Promise<void> => setResult((await copied(text())) ? 'copied' : 'failed');
  return (
    <button type="button" className="button button-quiet button-small" onClick={() => void copy()}>
      <Icon name="copy" />
      <span aria-live="polite">
        {result === 'copied' ? 'Copied' : result === 'failed' ? 'Select it and copy' : label}
      </span>
    </button>
  );
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedByHand(text);
  }
}

/** A page that came by plain HTTP has no clipboard. */
function copiedByHand(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'visually-hidden';
  document.body.append(area);
  const before = document.activeElement;
  area.select();
  // oxlint-disable-next-line typescript/no-deprecated -- the only way without a secure context
  const isCopied = document.execCommand('copy');
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return isCopied;
}
