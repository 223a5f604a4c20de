/** The part of dockerode 5 that the tests call; the package has no types of its own. Shapes: Engine API 1.51. */
declare module 'dockerode' {
  import type { Duplex } from 'node:stream';

  interface ContainerInfo {
    readonly State: { readonly Pid: number };
  }
  interface Stats {
    readonly memory_stats: { readonly limit: number };
  }

  declare class Exec {
    start(options: Readonly<Record<string, unknown>>): Promise<Duplex>;
    inspect(): Promise<unknown>;
  }

  declare class Container {
    start(): Promise<void>;
    attach(options: Readonly<Record<string, unknown>>): Promise<Duplex>;
    wait(): Promise<unknown>;
    inspect(): Promise<ContainerInfo>;
    remove(options?: Readonly<Record<string, unknown>>): Promise<void>;
    exec(options: Readonly<Record<string, unknown>>): Promise<Exec>;
    logs(options: Readonly<Record<string, unknown>>): Promise<Buffer>;
    stats(options: { readonly stream: false }): Promise<Stats>;
    top(): Promise<{ readonly Processes: readonly (readonly string[])[] }>;
    resize(size: { readonly h: number; readonly w: number }): Promise<void>;
  }

  declare class Dockerode {
    constructor(options: { readonly socketPath: string });
    readonly modem: {
      demuxStream(stream: NodeJS.ReadableStream, out: NodeJS.WritableStream, err: NodeJS.WritableStream): void;
      followProgress(stream: NodeJS.ReadableStream, done: (error: Error | null, output: { status: string }[]) => void): void;
    };
    pull(reference: string): Promise<NodeJS.ReadableStream>;
    listImages(): Promise<readonly { readonly RepoTags: readonly string[] | null }[]>;
    createContainer(options: Readonly<Record<string, unknown>>): Promise<Container>;
    run(
      image: string,
      command: readonly string[],
      output: NodeJS.WritableStream | readonly NodeJS.WritableStream[],
      options?: Readonly<Record<string, unknown>>,
    ): Promise<unknown>;
  }

  namespace Dockerode {
    export { Container };
  }
  export = Dockerode;
}
