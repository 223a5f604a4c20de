import fs from 'node:fs';
import { decodeReport, encodeFrame, encodeProgram, frameTypes, type Op, programFailure, type Report } from '../../kernel/index.ts';
import { frontGone, type Observer, type ProgramLauncher } from './context.ts';

const headerBytes = 8;
/** docs/CONTRACTS.md, "Connection protocol" */
const maxReportBytes = 4 << 20;

/**
 * Programs run in the front (native/front.c): our parent, which the caller of `strake-runc` started. Both ends wait for each other, so that plain blocking reads
 * and writes will do; an event loop's sockets cost milliseconds to load.
 */
export class FrontLauncher implements ProgramLauncher {
  readonly #control: number;
  #observer: Observer | undefined;

  /** `control`: our end of the connection, a descriptor. */
  constructor(control: number) {
    this.#control = control;
  }

  run(operations: readonly Op[]): Report {
    return this.#run(operations, []);
  }

  ask(operations: readonly Op[]): readonly Buffer[] {
    const answers: Buffer[] = [];
    this.#run(operations, answers);
    return answers;
  }

  #run(operations: readonly Op[], answers: Buffer[]): Report {
    this.#send(encodeFrame(frameTypes.program, encodeProgram(operations, { trace: this.#observer !== undefined })));
    return this.#succeeded(operations, answers);
  }

  #succeeded(operations: readonly Op[], answers: Buffer[]): Report {
    const report = decodeReport(this.#await(frameTypes.report, answers));
    this.#observer?.reported(operations, report);
    if (report.failedIndex !== undefined) throw programFailure(report, operations);
    return report;
  }

  start(operations: readonly Op[]): void {
    this.#send(encodeFrame(frameTypes.start));
    this.#succeeded(operations, []);
  }

  handOver(): void {
    this.#send(encodeFrame(frameTypes.handOver));
  }

  #send(frame: Uint8Array): void {
    try {
      for (let sent = 0; sent < frame.length; ) sent += fs.writeSync(this.#control, frame, sent);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
      throw frontGone('the end of the connection');
    }
  }

  observe(observer: Observer): void {
    this.#observer = observer;
  }

  awaitExit(): void {
    this.#await(frameTypes.exit);
  }

  /** The payload of the next frame of that type; of DATA frames before it into `answers`. */
  #await(type: number, answers: Buffer[] = []): Buffer {
    for (;;) {
      const header = this.#read(headerBytes);
      const length = header.readUInt32BE(4);
      if (length > maxReportBytes) throw frontGone(`a frame of ${length} bytes`);
      const payload = this.#read(length);
      if (header[0] === type) return payload;
      if (header[0] === frameTypes.data) answers.push(payload);
    }
  }

  #read(length: number): Buffer {
    const data = Buffer.allocUnsafe(length);
    for (let have = 0; have < length; ) {
      const n = fs.readSync(this.#control, data, have, length - have, null);
      if (n === 0) throw frontGone('the end of the connection');
      have += n;
    }
    return data;
  }
}
