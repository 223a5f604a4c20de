/** The attributes that a layer carries: the peers' too. Never overlayfs's own marks: a redirect would show another layer's files. Labels of an LSM are the host's matter. */
export function isLayerXattr(name: string): boolean {
  if (name.startsWith('user.') || name.startsWith('trusted.')) return !/^[a-z]+\.overlay\./.test(name);
  return name === 'security.capability' || name === 'system.posix_acl_access' || name === 'system.posix_acl_default';
}
