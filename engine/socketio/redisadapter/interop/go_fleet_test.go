package interop_test

import "testing"

// openGo opens one of ours.
func openGo(t *testing.T, name string, f *fleet) *goServer {
	t.Skip("not yet")
	return nil
}

const consultPatience = patience
