import { StrakeError } from '../../base/index.ts';
import type { Container } from './container.ts';

/** Every container by id, name and unique id prefix. */
export class ContainerRegistry {
  private readonly byId = new Map<string, Container>();
  /** Names that are taken, also by a create that is under way. */
  private readonly names = new Map<string, string>();

  /** By full id, then name, then id prefix, as docker looks. */
  get(reference: string): Container {
    const container = this.find(reference);
    if (container === undefined) throw new StrakeError('NotFound', `No such container: ${reference}`);
    return container;
  }

  find(reference: string): Container | undefined {
    const exact = this.byId.get(reference) ?? this.byId.get(this.names.get(reference.replace(/^\//, '')) ?? '');
    if (exact !== undefined || !/^[0-9a-f]{1,63}$/.test(reference)) return exact;
    const matches = [...this.byId.values()].filter(({ id }) => id.startsWith(reference));
    if (matches.length > 1) throw new StrakeError('InvalidArgument', `multiple IDs found with provided prefix: ${reference}`);
    return matches[0];
  }

  list(): readonly Container[] {
    return [...this.byId.values()];
  }

  isTaken(name: string): boolean {
    return this.names.has(name);
  }

  reserveName(name: string, id: string): void {
    const owner = this.names.get(name);
    if (owner !== undefined && owner !== id)
      throw new StrakeError(
        'AlreadyExists',
        `Conflict. The container name "/${name}" is already in use by container "${owner}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    this.names.set(name, id);
  }

  releaseName(name: string): void {
    this.names.delete(name);
  }

  add(container: Container): void {
    this.byId.set(container.id, container);
    this.names.set(container.name, container.id);
  }

  remove(container: Container): void {
    this.byId.delete(container.id);
    if (this.names.get(container.name) === container.id) this.names.delete(container.name);
  }
}
