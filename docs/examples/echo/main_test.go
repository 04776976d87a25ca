package main

import (
	"testing"

	"github.com/fanfare-go/fanfare/docs/examples/chat"
	"github.com/fanfare-go/fanfare/docs/examples/smoke"
)

func TestWithTheOfficialClient(t *testing.T) { smoke.Test(t, chat.New, routes) }
