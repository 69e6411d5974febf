export function FailureNote({ text }: { text: string | null }) {
  return text === null ? null : (
    <p className="failure" role="alert">
      {text}
    </p>
  );
}
