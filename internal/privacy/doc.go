// Package privacy gives people what the LGPD entitles them to: all of their data as a file, and its deletion. What data there is
// it takes from the store row by row, so that nothing that is kept can be left out.
package privacy
