// Package worker is the durable queue and what bounds the work: River keeps the jobs in the same database as the rows they
// are about, pond bounds how many pages and provider calls are under way at once, and rescue gives the jobs of a dead
// process to a live one. What a job does is the business of the services of invoices and insights.
package worker
