// Package sdk is what a provider plugin is written against: implement Provider, call plugin.Serve from main, and test with
// sdktest.Exercise. A plugin translates between this interface and one vendor's API, and nothing more: prompts, schemas,
// caching, retries and money stay in the host, which runs the plugin as a process of its own.
//
// The package follows semantic versioning together with the wire protocol: within v1, fields are added and never removed.
package sdk
