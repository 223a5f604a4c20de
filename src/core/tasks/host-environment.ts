const handedOn = ['PATH', 'HOME', 'TMPDIR', 'XDG_RUNTIME_DIR', 'LANG'];

/** `NAME=value` of our own environment, for programs of the host that run beside a container. What is not named here may be a secret, or somebody else's (NOTIFY_SOCKET). */
export function hostEnvironment(): readonly string[] {
  return handedOn.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
}
