// Package config is every setting of the service: what it is called in the environment, what it does and what it defaults
// to. It is the only reader of the environment; everybody else is handed values. docs/configuration.md is generated from the
// comments here.
package config

//go:generate go run ./cmd/configdoc -dir . -o ../../docs/configuration.md
