// Package app puts the service together: New makes the parts in the order that they need each other, Start starts them, Stop
// stops them in reverse. It is the only package that knows all the others.
package app
