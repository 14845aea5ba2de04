// The AWS SDK for Go against minikin: what users of the SDK do, and what their error handling relies
// on. Each check makes what it needs, so that it can be read alone. conformance/run sets the
// variables.
package main

import (
	"os"
	"slices"
)

func main() {
	runAll(os.Args[1], slices.Concat(
		streamChecks(), recordChecks(), pageChecks(), errorChecks(), subscriptionChecks(), rpcV2Checks(), doubleChecks(),
		mappingChecks(),
	))
}
