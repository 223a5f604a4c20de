/** What the Engine needs of the network layer: networks that have devices and addresses. */
export interface ManagedNetwork {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  /** CIDR */
  readonly subnet: string;
  readonly ipRange: string | undefined;
  readonly gateway: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export interface NewManagedNetwork {
  readonly name: string;
  /** A free one is chosen when absent. FailedPrecondition when it overlaps another. */
  readonly subnet: string | undefined;
  readonly ipRange: string | undefined;
  readonly gateway: string | undefined;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export interface NetworkManager {
  /** The default bridge network `bridge`, and those that users made. Survives a restart of the daemon. */
  list(): readonly ManagedNetwork[];
  create(network: NewManagedNetwork): Promise<ManagedNetwork>;
  /** With its devices and rules; the caller has seen to it that no container is in it. */
  remove(id: string): Promise<void>;
}
