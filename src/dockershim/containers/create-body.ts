import { type criContainer, criLinux, criTypes } from '../../api/cri/index.ts';
import { containerLabels } from '../engine/labels.ts';
import { engineResources } from '../engine/resources.ts';
import { securityOptions } from '../engine/security.ts';
import { notWithEngine, refuse } from '../refuse.ts';
import { engineMount } from './mounts.ts';

const { NamespaceMode } = criLinux;
/** The engine keeps of the output what the shim needs to catch up with it after it was away. */
const logOptions = { 'max-size': '16m', 'max-file': '2' };

export interface ContainerBodyOptions {
  readonly sandboxId: string;
  readonly cgroupParent: string;
  readonly runtimeHandler: string;
  readonly user: { readonly User?: string; readonly GroupAdd: readonly string[] };
}

export async function containerBody(config: criContainer.ContainerConfig, { sandboxId, cgroupParent, runtimeHandler, user }: ContainerBodyOptions) {
  const { linux } = config;
  const security = linux?.securityContext;
  if ((security?.capabilities?.addAmbientCapabilities ?? []).length > 0) throw notWithEngine('ambient capabilities');
  const isPrivileged = security?.privileged ?? false;
  const stopSignal = config.stopSignal === criTypes.Signal.RUNTIME_DEFAULT ? undefined : signalName(config.stopSignal);
  return {
    Image: config.image?.image ?? '',
    ...(config.command.length === 0 ? {} : { Entrypoint: config.command }),
    ...(config.args.length === 0 ? {} : { Cmd: config.args }),
    Env: config.envs.map(({ key, value }) => `${key}=${Buffer.from(value).toString()}`),
    ...(config.workingDir === '' ? {} : { WorkingDir: config.workingDir }),
    ...(user.User === undefined ? {} : { User: user.User }),
    OpenStdin: config.stdin,
    StdinOnce: config.stdinOnce,
    Tty: config.tty,
    ...(stopSignal === undefined ? {} : { StopSignal: stopSignal }),
    Labels: containerLabels(config, sandboxId),
    HostConfig: {
      ...namespacesOf(security?.namespaceOptions, sandboxId),
      ...engineResources(linux?.resources),
      CgroupParent: cgroupParent,
      Mounts: config.mounts.map(engineMount),
      Devices: config.devices.map(({ hostPath, containerPath, permissions }) => ({
        PathOnHost: hostPath,
        PathInContainer: containerPath,
        CgroupPermissions: permissions === '' ? 'rwm' : permissions,
      })),
      ...(config.CDIDevices.length === 0 ? {} : { DeviceRequests: [{ Driver: 'cdi', DeviceIDs: config.CDIDevices.map(({ name }) => name) }] }),
      Privileged: isPrivileged,
      CapAdd: security?.capabilities?.addCapabilities ?? [],
      CapDrop: security?.capabilities?.dropCapabilities ?? [],
      ReadonlyRootfs: security?.readonlyRootfs ?? false,
      GroupAdd: user.GroupAdd,
      SecurityOpt: isPrivileged ? [] : [...(security?.noNewPrivs ? ['no-new-privileges'] : []), ...(await securityOptions(security ?? {}))],
      ...(isPrivileged ? {} : { MaskedPaths: security?.maskedPaths ?? [], ReadonlyPaths: security?.readonlyPaths ?? [] }),
      ...(linux?.resources === undefined || linux.resources.oomScoreAdj === 0n ? {} : { OomScoreAdj: Number(linux.resources.oomScoreAdj) }),
      ...(runtimeHandler === '' ? {} : { Runtime: runtimeHandler }),
      LogConfig: { Type: 'json-file', Config: logOptions },
    },
  };
}

function namespacesOf(options: criLinux.NamespaceOption | undefined, sandboxId: string) {
  const ofPod = `container:${sandboxId}`;
  const { network = NamespaceMode.POD, ipc = NamespaceMode.POD, pid = NamespaceMode.POD, targetId = '' } = options ?? {};
  const pids: Readonly<Record<number, string>> = {
    [NamespaceMode.POD]: ofPod,
    [NamespaceMode.CONTAINER]: '',
    [NamespaceMode.NODE]: 'host',
    [NamespaceMode.TARGET]: `container:${targetId}`,
  };
  return {
    // The pod's container is on the machine's network itself where the pod is.
    NetworkMode: ofPod,
    ...(network === NamespaceMode.NODE ? { UTSMode: 'host' } : {}),
    IpcMode: ipc === NamespaceMode.NODE ? 'host' : ofPod,
    PidMode: pids[pid] ?? '',
  };
}

/** `SIGTERM`, `SIGRTMIN+3`, as the engine reads them. */
function signalName(signal: criTypes.Signal): string {
  const name = criTypes.SignalSchema.value[signal]?.name;
  if (name === undefined) throw refuse('InvalidArgument', `there is no signal ${signal}`);
  return name.replace('SIGNAL_', '').replace('SIGRTMAXMINUS', 'SIGRTMAX-').replace('PLUS', '+');
}
