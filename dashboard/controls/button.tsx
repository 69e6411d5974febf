import type { ComponentProps } from 'react';

export type ButtonProps = ComponentProps<'button'> & {
  kind?: 'primary' | 'plain' | 'danger' | 'quiet';
};

export function Button({ kind = 'plain', type = 'button', className = '', ...rest }: ButtonProps) {
  // oxlint-disable-next-line react/button-has-type -- it has one
  return <button type={type} className={`button button-${kind} ${className}`} {...rest} />;
}
