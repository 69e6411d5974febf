export function KeysView() {
  return <h1>KeysView</h1>;
}
