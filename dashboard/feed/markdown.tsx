// Text that a model, a program or a person has written, shown as Markdown. Nothing of it is trusted: no HTML, no pictures from elsewhere,
// and links only to where a click is harmless.
import { memo, useRef } from 'react';
import type { ComponentProps, ReactNode } from 'react';
import ReactMarkdown from 'react-markdown';
import type { Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';

import { CopyButton } from '../controls/copy-button.tsx';

/** Beyond it, parsing would hold the page up. */
const formattedMax = 100_000;

const plugins = [remarkGfm];

export const Markdown = memo(function Markdown({ text }: { text: string }) {
  if (text.length > formattedMax) return <pre className="plain-text">{text}</pre>;
  return (
    <div className="markdown">
      <ReactMarkdown
        remarkPlugins={plugins}
        components={components}
        urlTransform={safeUrl}
        skipHtml={false}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
});

/** '' for what is not to be followed. */
export function safeUrl(url: string): string {
  if (!URL.canParse(url)) return '';
  const { protocol } = new URL(url);
  return protocol === 'http:' || protocol === 'https:' || protocol === 'mailto:' ? url : '';
}

type Given<Tag extends 'a' | 'img' | 'pre' | 'code' | 'table' | 'input'> = ComponentProps<Tag> & {
  node?: unknown;
};

const components: Components = {
  // The page has h1, a feed h2.
  h1: 'h3',
  h2: 'h4',
  h3: 'h5',
  h4: 'h6',
  h5: 'h6',
  a: ({ href, children }: Given<'a'>) => <SafeLink href={href}>{children}</SafeLink>,
  img: ({ src, alt }: Given<'img'>) => (
    <SafeLink
      href={typeof src === 'string' ? src : ''}
    >{`[picture: ${alt === undefined || alt === '' ? 'without a name' : alt}]`}</SafeLink>
  ),
  pre: ({ children }: Given<'pre'>) => <CodeBlock>{children}</CodeBlock>,
  table: ({ children }: Given<'table'>) => (
    <div className="table-scroll" tabIndex={0} role="group" aria-label="Table">
      <table>{children}</table>
    </div>
  ),
  input: ({ checked }: Given<'input'>) => (
    <input
      type="checkbox"
      checked={checked === true}
      disabled
      aria-label={checked === true ? 'done' : 'to do'}
    />
  ),
};

function SafeLink({ href, children }: { href: string | undefined; children: ReactNode }) {
  if (href === undefined || href === '') return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer" referrerPolicy="no-referrer">
      {children}
    </a>
  );
}

function CodeBlock({ children }: { children: ReactNode }) {
  const block = useRef<HTMLPreElement>(null);
  return (
    <div className="code-block">
      <div className="code-head">
        <span>{languageOf(children)}</span>
        <CopyButton text={() => (block.current?.textContent ?? '').replace(/\n$/, '')} />
      </div>
      <pre ref={block} tabIndex={0} role="group" aria-label="Code">
        {children}
      </pre>
    </div>
  );
}

function languageOf(children: ReactNode): string {
  const isElement = typeof children === 'object' && children !== null && 'props' in children;
  const props: unknown = isElement ? children.props : null;
  const hasClass = typeof props === 'object' && props !== null && 'className' in props;
  const name = hasClass ? String(props.className) : '';
  return /^language-([\w+#.-]{1,30})/.exec(name)?.[1] ?? 'text';
}
