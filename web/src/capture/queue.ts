import type { ErrorCode } from '../graphql/generated/graphql';
import { ServiceError } from '../app/errors';
import type { Submitted, Upload } from './upload';

/** One note on its way to the service. It is stored until the service has it, so a reload or a lost connection loses nothing. */
export interface Submission extends Upload {
  /** Whose it is: on a shared device nobody sends what is somebody else's. */
  owner: string;
  /** "2 fotos", "nota.pdf" */
  title: string;
  createdAt: number;
  state: 'waiting' | 'refused' | 'duplicate';
  /** Why it was refused. */
  message?: string;
  /** The invoice that holds the purchase already. */
  duplicateOf?: string;
}

/** What is shown of a submission. */
export interface Entry extends Omit<Submission, 'state'> {
  state: Submission['state'] | 'sending' | 'sent';
  /** How much has gone, from 0 to 1. */
  progress: number;
  /** The new invoice. */
  invoiceId?: string;
}

export interface QueueSurroundings {
  all(): Promise<Submission[]>;
  put(submission: Submission): Promise<void>;
  remove(key: string): Promise<void>;
  /** Runs work while no other tab does. */
  lock(work: () => Promise<void>): Promise<void>;
  send(what: Upload, onProgress: (share: number) => void, signal: AbortSignal): Promise<Submitted>;
  /** Waits before try number attempt, or as long as the service said. */
  wait(attempt: number, seconds: number | undefined, signal: AbortSignal): Promise<void>;
  newKey(): string;
  now(): number;
  /** Tells the other tabs. */
  tell(): void;
}

/** Errors that pass by themselves. Others are for the person to decide. */
const PASSING: ErrorCode[] = ['RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL'];
/** Errors of the service, not of the network, after which the person is asked. */
const MOST_TRIES = 6;

export class Queue {
  private owner: string | undefined;
  private stored: Submission[] = [];
  private sent: Entry[] = [];
  private sending: { key: string; progress: number; stop: AbortController } | undefined;
  private running = false;
  private entries: readonly Entry[] = [];
  private readonly listeners = new Set<() => void>();

  constructor(private readonly around: QueueSurroundings) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): readonly Entry[] => this.entries;

  /** Begins to send what is stored of a person; without one it stops. */
  async open(owner: string | undefined): Promise<void> {
    if (owner !== this.owner) {
      this.sending?.stop.abort();
      this.sent = [];
    }
    this.owner = owner;
    await this.reload();
    void this.run();
  }

  /** Reads what is stored, which another tab may have changed. */
  reload = async (): Promise<void> => {
    const all = await this.around.all();
    this.stored = all.filter((s) => s.owner === this.owner).sort((a, b) => a.createdAt - b.createdAt);
    this.show();
  };

  /** Stores a note to be sent. It returns the key, when nothing can be lost any more. */
  async add(title: string, files: Blob[], allowDuplicate = false): Promise<string> {
    if (this.owner === undefined) throw new Error('nobody is signed in');
    const idempotencyKey = this.around.newKey();
    await this.save({
      owner: this.owner,
      title,
      files,
      allowDuplicate,
      idempotencyKey,
      createdAt: this.around.now(),
      state: 'waiting',
    });
    void this.run();
    return idempotencyKey;
  }

  /** Sends a refused note once more. */
  async retry(key: string): Promise<void> {
    const found = this.stored.find((s) => s.idempotencyKey === key);
    if (found === undefined) return;
    const again = { ...found, state: 'waiting' as const };
    delete again.message;
    await this.save(again);
    void this.run();
  }

  /** Sends a duplicate all the same. With a new key: the old one would bring the old answer. */
  async sendAnyway(key: string): Promise<string | undefined> {
    const found = this.stored.find((s) => s.idempotencyKey === key);
    if (found === undefined) return undefined;
    await this.around.remove(key);
    return this.add(found.title, found.files, true);
  }

  /** Takes a note from the list; what is on its way is stopped. */
  async remove(key: string): Promise<void> {
    this.sent = this.sent.filter((e) => e.idempotencyKey !== key);
    await this.around.remove(key);
    if (this.sending?.key === key) this.sending.stop.abort();
    await this.changed();
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      await this.around.lock(async () => {
        for (;;) {
          await this.reload();
          const next = this.stored.find((s) => s.state === 'waiting');
          if (next === undefined || !(await this.deliver(next))) return;
        }
      });
    } finally {
      this.running = false;
    }
  }

  /** Sends one until the service has taken or refused it. False when nothing can be sent at the moment. */
  private async deliver(submission: Submission): Promise<boolean> {
    const stop = new AbortController();
    const stopped = () => stop.signal.aborted;
    const sending = { key: submission.idempotencyKey, progress: 0, stop };
    this.sending = sending;
    let failures = 0;
    try {
      for (let attempt = 0; !stopped(); attempt++) {
        try {
          sending.progress = 0;
          this.show();
          const onProgress = (share: number) => {
            sending.progress = share;
            this.show();
          };
          await this.settle(submission, await this.around.send(submission, onProgress, stop.signal));
          return true;
        } catch (error) {
          if (stopped()) break;
          const known = error instanceof ServiceError ? error : undefined;
          if (known?.code === 'UNAUTHENTICATED') return false;
          if (known !== undefined && (!PASSING.includes(known.code) || ++failures >= MOST_TRIES)) {
            await this.save({ ...submission, state: 'refused', message: known.message });
            return true;
          }
          await this.around.wait(attempt, known?.retryAfterSeconds, stop.signal);
        }
      }
      return this.owner === submission.owner;
    } finally {
      this.sending = undefined;
      this.show();
    }
  }

  private async settle(submission: Submission, { invoice, duplicate }: Submitted): Promise<void> {
    if (duplicate) {
      await this.save({ ...submission, state: 'duplicate', duplicateOf: invoice.id });
      return;
    }
    this.sent = [...this.sent, { ...submission, files: [], state: 'sent', progress: 1, invoiceId: invoice.id }];
    await this.around.remove(submission.idempotencyKey);
    await this.changed();
  }

  private async save(submission: Submission): Promise<void> {
    await this.around.put(submission);
    await this.changed();
  }

  private async changed(): Promise<void> {
    await this.reload();
    this.around.tell();
  }

  private show(): void {
    const waiting = this.stored.map((s): Entry => {
      const now = this.sending?.key === s.idempotencyKey && s.state === 'waiting' ? this.sending : undefined;
      return now === undefined ? { ...s, progress: 0 } : { ...s, state: 'sending', progress: now.progress };
    });
    this.entries = [...this.sent, ...waiting];
    for (const listener of this.listeners) listener();
  }
}
