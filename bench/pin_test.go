package bench

import (
	"errors"
	"flag"
	"os"
	"runtime"
	"strconv"

	"github.com/fanfare-go/fanfare/bench/swarm"
	"golang.org/x/sys/unix"
)

// pin is how the peers are compared: the server has one core, and its clients never
// run there.
var pin = flag.Bool("pin", false, "the server has one core (GOMAXPROCS 1), its clients the others")

// pinned moves this process to the first core it may use, and the swarms it will
// start to the others.
func pinned() error {
	var all, own unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return err
	}
	if all.Count() < 2 {
		return errors.New("-pin needs two cores")
	}
	for cpu := 0; own.Count() == 0; cpu++ {
		if all.IsSet(cpu) {
			own.Set(cpu)
			all.Clear(cpu)
		}
	}
	swarm.CPUs = &all
	runtime.GOMAXPROCS(1)
	threads, err := os.ReadDir("/proc/self/task") // those that come later inherit it
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(id, &own); err != nil {
			return err
		}
	}
	return nil
}
