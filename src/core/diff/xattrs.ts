/** The attributes that a layer carries. Never overlayfs's own marks: a redirect would show another layer's files. Labels of an LSM are the host's matter. */
export function isLayerXattr(name: string): boolean {
  if (name.startsWith('user.')) return !name.startsWith('user.overlay.');
  return name === 'security.capability' || name === 'system.posix_acl_access' || name === 'system.posix_acl_default';
}
