/** Why no backup was made, or none was restored: said to the operator as it is. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}
