import { CopyButton } from './copy-button.tsx';

/** Something that the vault tells once. */
export function SecretNote({ text, secret }: { text: string; secret: string }) {
  return (
    <div className="secret" role="status">
      <p>{text}</p>
      <code>{secret}</code>
      <div>
        <CopyButton text={() => secret} />
      </div>
    </div>
  );
}
