import { create } from '@bufbuild/protobuf';
import { criLinux } from '../../api/cri/index.ts';
import { isCode } from '../../base/index.ts';
import { parseRuntimeSpec, type RuntimeSpec } from '../../oci/index.ts';
import type { CriContext } from '../context.ts';
import { refused } from '../refusals.ts';
import { limits } from '../spec/resources.ts';
import type { Container } from './container.ts';
import { specValue } from './container-record.ts';
import { saveStatus } from './status-file.ts';

/** What is zero stays as it is. Of one that runs the kernel is told first: what it refuses is not written down. */
export async function updateResources(context: CriContext, container: Container, wanted: criLinux.LinuxContainerResources): Promise<void> {
  await container.mutex.run(async () => {
    if (container.lifecycle.status === 'exited')
      throw refused('FailedPrecondition', `container ${JSON.stringify(container.id)} is not created or running: it has exited`, { container: container.id });
    const resources = limits(wanted);
    const record = await context.core.containers.get(container.id);
    const spec = parseRuntimeSpec(Buffer.from(record.spec.value).toString());
    try {
      if (container.lifecycle.status === 'running') await container.task?.update(resources);
    } catch (error) {
      // It has ended meanwhile: there is nothing to limit.
      if (isCode(error, 'NotFound')) return;
      throw error;
    }
    await context.core.containers.update(container.id, { spec: specValue(withLimits(spec, resources)) });
    container.resources = merged(container.resources, wanted);
    saveStatus(context.paths, container);
  });
}

function withLimits(spec: RuntimeSpec, changed: ReturnType<typeof limits>): RuntimeSpec {
  const before = spec.linux?.resources ?? {};
  return {
    ...spec,
    linux: {
      ...spec.linux,
      resources: {
        ...before,
        ...changed,
        ...(changed.cpu === undefined ? {} : { cpu: { ...before.cpu, ...changed.cpu } }),
        ...(changed.memory === undefined ? {} : { memory: { ...before.memory, ...changed.memory } }),
        ...(changed.unified === undefined ? {} : { unified: { ...before.unified, ...changed.unified } }),
      },
    },
  };
}

function merged(before: criLinux.LinuxContainerResources | undefined, wanted: criLinux.LinuxContainerResources): criLinux.LinuxContainerResources {
  const said = Object.entries(wanted).filter(([, value]) =>
    Array.isArray(value) ? value.length > 0 : typeof value === 'object' ? Object.keys(value).length > 0 : Boolean(value),
  );
  return Object.assign(create(criLinux.LinuxContainerResourcesSchema), before, Object.fromEntries(said));
}
