/** Flag tables: the names, kinds and help of a command's flags; from them come parsing, types and the help text. */

export type FlagKind = 'bool' | 'string' | 'int' | 'list';

export interface Flag {
  readonly kind: FlagKind;
  readonly short?: string;
  readonly help: string;
  /** A bool that is on by default (`--sig-proxy`). */
  readonly on?: boolean;
  /** What the help calls the value; by the kind when left out. */
  readonly value?: string;
  /** Accepted, and named in the help of nobody. */
  readonly hidden?: boolean;
}

export type FlagTable = Readonly<Record<string, Flag>>;

type ValueOf<Kind extends FlagKind> = Kind extends 'bool'
  ? boolean
  : Kind extends 'list'
    ? readonly string[]
    : Kind extends 'int'
      ? number | undefined
      : string | undefined;

export type FlagValues<Table extends FlagTable> = { readonly [Name in keyof Table]: ValueOf<Table[Name]['kind']> };

export interface ParsedFlags<Table extends FlagTable> {
  readonly values: FlagValues<Table>;
  readonly args: readonly string[];
  /** Names that stood on the command line. */
  readonly given: ReadonlySet<string>;
  readonly help: boolean;
}
