import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';

/** Docker's attributes of a container event: its labels, image and name, and what the action adds. */
export function publish(
  context: Pick<ContainerContext, 'events'>,
  container: Container,
  action: string,
  attributes: Readonly<Record<string, string>> = {},
): void {
  const { config, name } = container.document;
  context.events.publish({ type: 'container', action, id: container.id, attributes: { ...config.Labels, image: config.Image, name, ...attributes } });
}
