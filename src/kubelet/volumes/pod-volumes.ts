import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isMountPoint, StrakeError } from '../../base/index.ts';
import type { V1Volume } from '../kubernetes.ts';
import type { EnvironmentSources } from '../pods/environment.ts';
import { missingObject } from '../pods/objects.ts';
import type { Pod } from '../pods/pod.ts';
import { quantityUnits } from '../quantity.ts';
import { writeAtomically } from './atomic-directory.ts';
import { prepareHostPath } from './host-path.ts';
import { projectedFiles } from './projected-files.ts';
import type { HostMounts, Volume } from './volume.ts';

/** Makes the volumes of pods, below `rootDir` as Kubernetes' own kubelet has them. */
export class PodVolumes {
  readonly #rootDir: string;
  readonly #mounts: HostMounts;

  constructor(rootDir: string, mounts: HostMounts) {
    this.#rootDir = rootDir;
    this.#mounts = mounts;
  }

  /** Where everything of a pod is. */
  podDirectory(uid: string): string {
    return join(this.#rootDir, 'pods', uid);
  }

  /**
   * All volumes of the pod, made where they are not there; what shows configMaps, secrets and fields shows those of now.
   * @throws StrakeError NotFound for an object that is not there, FailedPrecondition for a path that is not what it should be
   */
  async prepare(pod: Pod, sources: EnvironmentSources): Promise<ReadonlyMap<string, Volume>> {
    const volumes = new Map<string, Volume>();
    for (const volume of pod.spec.volumes ?? []) volumes.set(volume.name, await this.#prepareOne(volume, pod, sources));
    return volumes;
  }

  async remove(uid: string): Promise<void> {
    await this.#mounts.remove(this.podDirectory(uid));
  }

  async #prepareOne(volume: V1Volume, pod: Pod, sources: EnvironmentSources): Promise<Volume> {
    const { hostPath, image, persistentVolumeClaim: claim, emptyDir } = volume;
    const gid = pod.spec.securityContext?.fsGroup;
    if (hostPath !== undefined) {
      prepareHostPath(hostPath.path, hostPath.type ?? '');
      return { kind: 'path', path: hostPath.path, readOnly: false, foreign: true };
    }
    if (image !== undefined) return { kind: 'image', reference: image.reference ?? '', pullPolicy: image.pullPolicy };
    if (claim !== undefined) {
      if (sources.objects.claim(pod.namespace, claim.claimName) === undefined) throw missingObject('persistentVolumeClaim', pod.namespace, claim.claimName);
      // What is claimed outlives the pods.
      const path = join(this.#rootDir, 'claims', pod.namespace, claim.claimName);
      makeShared(path, gid);
      return { kind: 'path', path, readOnly: claim.readOnly === true, foreign: true };
    }
    if (emptyDir !== undefined) return await this.#emptyDir(volume.name, emptyDir, pod.uid, gid);
    const files = projectedFiles(volume, pod, sources);
    if (files === undefined) throw new StrakeError('InvalidArgument', `volume ${volume.name} has no source that is known`, { fields: { layer: 'kubelet' } });
    const kind =
      volume.configMap !== undefined ? 'configmap' : volume.secret !== undefined ? 'secret' : volume.projected !== undefined ? 'projected' : 'downward-api';
    const path = this.#volumePath(pod.uid, kind, volume.name);
    writeAtomically(path, files, gid);
    return { kind: 'path', path, readOnly: true, foreign: false };
  }

  async #emptyDir(name: string, { medium = '', sizeLimit }: NonNullable<V1Volume['emptyDir']>, uid: string, gid: number | undefined): Promise<Volume> {
    const path = this.#volumePath(uid, 'empty-dir', name);
    if (medium !== 'Memory') makeShared(path, gid);
    else if (!isMountPoint(path)) {
      mkdirSync(path, { recursive: true });
      await this.#mounts.tmpfs(path, { sizeBytes: sizeLimit === undefined ? undefined : quantityUnits(sizeLimit), mode: sharedMode(gid), gid: gid ?? 0 });
    }
    return { kind: 'path', path, readOnly: false, foreign: true };
  }

  #volumePath(uid: string, kind: string, name: string): string {
    return join(this.podDirectory(uid), 'volumes', `kubernetes.io~${kind}`, name);
  }
}

/** A directory that any user of a pod may write to. One that is there has its owner: containers may have changed it. */
function makeShared(path: string, gid: number | undefined): void {
  if (existsSync(path)) return;
  mkdirSync(path, { recursive: true });
  if (gid !== undefined) chownSync(path, -1, gid);
  chmodSync(path, sharedMode(gid));
}

function sharedMode(gid: number | undefined): number {
  return gid === undefined ? 0o777 : 0o2777;
}
