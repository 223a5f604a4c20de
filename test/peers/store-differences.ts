/** Where our output differs from the real containerd's, and why that is right. Both are brought to the same text. */
export const differences: readonly { readonly pattern: RegExp; readonly replacement: string; readonly reason: string }[] = [
  {
    pattern: /^(\S+) +\d+(?:\.\d+)? [KMG]?i?B +(\d+)[ \t]*$/gm,
    replacement: '$1 <size> $2',
    reason: 'the usage of a snapshot is the bytes of its files, which do not depend on the file system; containerd counts blocks, of directories too',
  },
  {
    pattern: /ctr: (?:failed to resolve image: \S+|manifest unknown \(.*\)): not found/g,
    replacement: 'ctr: <no such image>: not found',
    reason: 'what the registry answered, and to what, is said',
  },
  {
    pattern: /(filters: parse error: .*: invalid argument): invalid argument/g,
    replacement: '$1',
    reason: 'once is enough',
  },
  {
    pattern: /cannot remove snapshot with child|snapshot \S+ has children, such as [^\s:]+/g,
    replacement: '<has children>',
    reason: 'one of the children is named, since it has to be removed first',
  },
  {
    pattern: /failed to get active mount: requested snapshot \S+ not active or view|snapshot \S+ is committed: prepare or view a child of it/g,
    replacement: '<is committed>',
    reason: 'the name is the one that the client knows, and what to do instead is said',
  },
  {
    pattern: /failed to commit snapshot \S+: snapshot \S+ is not active|snapshot \S+ is committed, not active/g,
    replacement: '<is not active>',
    reason: 'the name is the one that the client knows',
  },
  { pattern: /create container failed validation: /g, replacement: '', reason: 'what is wrong with which field is said' },
  { pattern: /^-\S{9}( .*\.wh\.)/gm, replacement: '-<mode>$1', reason: 'the mode of a whiteout means nothing' },
];
