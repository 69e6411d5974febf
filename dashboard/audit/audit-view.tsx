export function AuditView() {
  return <h1>AuditView</h1>;
}
