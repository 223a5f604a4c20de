import { checkIdentifier, StrakeError } from '../../base/index.ts';

/** The protobuf message of each of containerd's topics (containerd api/events, api/services/…). */
const messages: Readonly<Record<string, string>> = {
  '/containers/create': 'containerd.events.ContainerCreate',
  '/containers/update': 'containerd.events.ContainerUpdate',
  '/containers/delete': 'containerd.events.ContainerDelete',
  '/content/create': 'containerd.events.ContentCreate',
  '/content/delete': 'containerd.events.ContentDelete',
  '/images/create': 'containerd.services.images.v1.ImageCreate',
  '/images/update': 'containerd.services.images.v1.ImageUpdate',
  '/images/delete': 'containerd.services.images.v1.ImageDelete',
  '/namespaces/create': 'containerd.events.NamespaceCreate',
  '/namespaces/update': 'containerd.events.NamespaceUpdate',
  '/namespaces/delete': 'containerd.events.NamespaceDelete',
  '/sandboxes/create': 'containerd.events.SandboxCreate',
  '/sandboxes/start': 'containerd.events.SandboxStart',
  '/sandboxes/exit': 'containerd.events.SandboxExit',
  '/snapshot/prepare': 'containerd.events.SnapshotPrepare',
  '/snapshot/commit': 'containerd.events.SnapshotCommit',
  '/snapshot/remove': 'containerd.events.SnapshotRemove',
  '/tasks/create': 'containerd.events.TaskCreate',
  '/tasks/start': 'containerd.events.TaskStart',
  '/tasks/exit': 'containerd.events.TaskExit',
  '/tasks/delete': 'containerd.events.TaskDelete',
  '/tasks/oom': 'containerd.events.TaskOOM',
  '/tasks/exec-added': 'containerd.events.TaskExecAdded',
  '/tasks/exec-started': 'containerd.events.TaskExecStarted',
  '/tasks/paused': 'containerd.events.TaskPaused',
  '/tasks/resumed': 'containerd.events.TaskResumed',
  '/tasks/checkpointed': 'containerd.events.TaskCheckpointed',
};

/** The name of the message that a topic's payload is; undefined for topics that are not containerd's, such as the Engine's. */
export function messageOf(topic: string): string | undefined {
  return Object.hasOwn(messages, topic) ? messages[topic] : undefined;
}

/** containerd's rule: a slash before each of one or more identifiers. */
export function checkTopic(topic: string): void {
  const [before, ...components] = topic.split('/');
  if (before !== '' || components.length === 0)
    throw new StrakeError('InvalidArgument', `topic ${JSON.stringify(topic.slice(0, 80))} is not valid: it begins with a slash`, { fields: { layer: 'core' } });
  for (const component of components) checkIdentifier(component, `failed validation on component ${JSON.stringify(component.slice(0, 80))}`);
}
