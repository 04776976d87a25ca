package config_test

import (
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
)

// 5,000 clients are closed at no more than 2 % a second, and few do not take a minute.
func TestClientsAreClosedOverATimeThatSuitsTheirNumber(t *testing.T) {
	d := config.Drain{DrainOver: time.Minute, DrainRate: 50}
	for clients, want := range map[int]time.Duration{
		0: time.Millisecond, 1: 20 * time.Millisecond, 100: 2 * time.Second, 3000: time.Minute, 5000: time.Minute, 1_000_000: time.Minute,
	} {
		if over := d.Over(clients); over != want {
			t.Errorf("%d clients: %v, want %v", clients, over, want)
		}
	}
}

func TestADelayIsWhatWasAskedForOrWhatBalancersNeed(t *testing.T) {
	none, long := time.Duration(0), time.Minute
	for _, tt := range []struct {
		flag    *time.Duration
		checked bool
		want    time.Duration
	}{
		{nil, false, 0}, {nil, true, 5 * time.Second}, {&none, true, 0}, {&long, false, time.Minute},
	} {
		if got := (&config.Drain{DrainDelay: tt.flag}).Delay(tt.checked); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}
