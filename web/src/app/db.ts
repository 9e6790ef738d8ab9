/** What the app keeps in the browser: the session and the submissions that are on their way. */

export type Shelf = 'session' | 'submissions';

let opening: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('mercado-esperto', 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('session');
      request.result.createObjectStore('submissions');
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => {
      opening = undefined;
      reject(new Error('IndexedDB cannot be opened', { cause: request.error }));
    };
  });
  return opening;
}

async function run<T>(
  shelf: Shelf,
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const db = await open();
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(shelf, mode);
    const request = work(transaction.objectStore(shelf));
    // Only a complete transaction is on the disk.
    transaction.oncomplete = () => resolve(request.result);
    const fail = () => reject(new Error('IndexedDB failed', { cause: transaction.error }));
    transaction.onerror = fail;
    transaction.onabort = fail;
  });
}

export const db = {
  get: <T>(shelf: Shelf, key: string) => run(shelf, 'readonly', (s) => s.get(key) as IDBRequest<T | undefined>),
  all: <T>(shelf: Shelf) => run(shelf, 'readonly', (s) => s.getAll() as IDBRequest<T[]>),
  put: async (shelf: Shelf, key: string, value: unknown) => {
    await run(shelf, 'readwrite', (s) => s.put(value, key));
  },
  remove: async (shelf: Shelf, key: string) => {
    await run(shelf, 'readwrite', (s) => s.delete(key));
  },
};
