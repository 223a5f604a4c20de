/**
 * Puts variables in for `$(NAME)`; `$$` is a dollar sign that begins no name, and what is not known stays as it is (kubernetes.io, "Define Dependent
 * Environment Variables").
 */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) => (name === undefined ? '$' : (variables.get(name) ?? whole)));
}
