// Package progress carries events between processes, live: whoever stores one publishes it, and every process hands it to
// its own subscribers. It runs on Redis pub/sub, so it may lose events while Redis is away and whenever a queue is full, and
// after a broken connection it may deliver one twice: the store has them all, and a subscriber reads it every few seconds
// and skips the sequence numbers it has seen.
package progress
