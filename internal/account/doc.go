// Package account is who uses the service: users, their sessions, their plan, their household and what they consented to.
// It hashes passwords and signs tokens; keeping rows is behind Store. It knows nothing of invoices.
package account
