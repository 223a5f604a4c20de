import { encodeMessage, type Field } from './protobuf.ts';

/** enum criu_req_type (criu's rpc.proto) */
const requestTypes = { dump: 1, restore: 2, preDump: 4 } as const;
const notifyType = 6;

/** enum criu_cg_mode, by the names of runc's --manage-cgroups-mode */
export const cgroupModes: Readonly<Record<string, number>> = { ignore: 0, soft: 3, full: 4, strict: 5 };

/** What a request says beside the defaults; the names are those of criu_opts. */
export interface CriuOptions {
  /** descriptors in criu's caller */
  readonly imagesDirFd: number;
  readonly workDirFd?: number | undefined;
  readonly logFile: string;
  readonly root: string;
  readonly configFile?: string | undefined;
  readonly manageCgroupsMode: number;
  readonly pid?: number | undefined;
  readonly parentImage?: string | undefined;
  readonly freezeCgroup?: string | undefined;
  readonly pageServer?: { readonly address: string; readonly port: number } | undefined;
  /** mount points that criu does not save (key), and under which name it finds them again (value), or what is mounted there (restore) */
  readonly externalMounts?: readonly (readonly [key: string, value: string])[];
  readonly external?: readonly string[];
  readonly inheritedFds?: readonly (readonly [key: string, fd: number])[];
  readonly joinNamespaces?: readonly (readonly [type: string, file: string])[];
  readonly cgroupRoots?: readonly (readonly [controller: string, path: string])[];
  readonly flags: Readonly<Partial<Record<keyof typeof flagFields, boolean>>>;
  readonly lsmProfile?: string | undefined;
  readonly lsmMountContext?: string | undefined;
}

const flagFields = {
  leaveRunning: 3,
  extUnixSk: 4,
  tcpEstablished: 5,
  evasiveDevices: 6,
  shellJob: 7,
  fileLocks: 8,
  trackMem: 15,
  autoDedup: 16,
  linkRemap: 18,
  rstSibling: 26,
  tcpSkipInFlight: 46,
  lazyPages: 48,
} as const;

/** criu's log says each step (LOG_DEBUG): what failed is quoted from it. */
const logLevel = 4;
/** CLONE_NEWNET: links of the container's network namespace are not criu's to make again; nobody describes their other ends. */
const emptyNamespaces = 0x4000_0000;

/** The answer that lets criu go on after a notification: a criu_req of type NOTIFY with notify_success. */
export const acknowledgement: Uint8Array = encodeMessage([
  [1, notifyType],
  [3, true],
]);

/** A criu_req with its criu_opts. */
export function criuRequest(type: keyof typeof requestTypes, options: CriuOptions): Uint8Array {
  const flags: Field[] = Object.entries(flagFields).map(([name, field]) => [field, options.flags[name as keyof typeof flagFields] ?? false]);
  const pairs = (entries: readonly (readonly [string, string])[] = []) =>
    entries.map(([first, second]) =>
      encodeMessage([
        [1, first],
        [2, second],
      ]),
    );
  const fields: readonly Field[] = [
    [1, options.imagesDirFd],
    [2, options.pid],
    ...flags,
    [9, logLevel],
    [10, options.logFile],
    [
      11,
      options.pageServer &&
        encodeMessage([
          [1, options.pageServer.address],
          [2, options.pageServer.port],
        ]),
    ],
    [12, true], // notify_scripts
    [13, options.root],
    [14, options.parentImage],
    [17, options.workDirFd],
    [23, pairs(options.externalMounts)],
    [24, true], // manage_cgroups, which the mode has replaced
    [25, pairs(options.cgroupRoots)],
    [
      27,
      (options.inheritedFds ?? []).map(([key, fd]) =>
        encodeMessage([
          [1, key],
          [2, fd],
        ]),
      ),
    ],
    [34, options.manageCgroupsMode],
    [37, options.external ?? []],
    [38, emptyNamespaces],
    [39, pairs(options.joinNamespaces)],
    [44, options.freezeCgroup],
    [50, true], // orphan_pts_master: a terminal whose other end was outside is made anew
    [51, options.configFile],
    [53, options.lsmProfile],
    [63, options.lsmMountContext],
  ];
  return encodeMessage([
    [1, requestTypes[type]],
    [2, encodeMessage(fields)],
  ]);
}
