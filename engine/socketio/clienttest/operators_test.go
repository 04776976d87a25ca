package clienttest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// Stock clients acknowledge a broadcast, each for itself: the answers come as they are
// given, one that leaves is known at once, and one that is silent is known by its id.
func TestBroadcastsAreAcknowledged(t *testing.T) {
	eachWay(t, houseOptions{}, func(j *journey) {
		jury := "jury " + j.Name()
		juror, leaver, silent := j.settled(), j.settled(), j.settled()
		for _, c := range []*clienttest.Client{juror, leaver, silent} {
			c.EmitAck("join", jury)
		}
		juror.AnswerEcho("verdict?")
		ctx, giveUp := context.WithTimeout(context.Background(), 30*time.Second)
		defer giveUp()
		results := make(map[string]string)
		for a, err := range j.house.server.To(jury).AskAll(ctx, "verdict?", "case", []byte{1, 2, 255}) {
			if _, twice := results[a.SocketID]; twice {
				j.Errorf("%s has two results", a.SocketID)
			}
			switch {
			case err == nil:
				var word string
				var proof []byte
				if err := a.Value.Decode(&word, &proof); err != nil || string(proof) != "\x01\x02\xff" {
					j.Errorf("answer %v: %v", a.Value, err)
				}
				results[a.SocketID] = word
				leaver.Wait("verdict?", 1)
				leaver.Disconnect()
			case errors.Is(err, socketio.ErrDisconnected):
				results[a.SocketID] = "left"
				silent.Wait("verdict?", 1)
				giveUp()
			default:
				results[a.SocketID] = "silent"
			}
		}
		if len(results) != 3 || results[juror.ID()] != "case" || results[leaver.ID()] != "left" || results[silent.ID()] != "silent" {
			j.Errorf("juror %s, leaver %s, silent %s: %v", juror.ID(), leaver.ID(), silent.ID(), results)
		}
	})
}

// What operators do to stock clients is in order with what they are sent.
func TestOperatorsMoveStockClients(t *testing.T) {
	eachWay(t, houseOptions{}, func(j *journey) {
		one, two := j.settled(), j.settled()
		server, room := j.house.server, "room "+j.Name()
		if err := server.To(one.ID(), two.ID()).SocketsJoin(room); err != nil {
			j.Error(err)
		}
		_ = server.To(room).Emit("news", 1)
		_ = server.To(two.ID()).SocketsLeave(room)
		_ = server.To(room).Emit("news", 2)
		all, err := server.To(room).FetchSockets(context.Background())
		if err != nil || len(all) != 1 || all[0].ID() != one.ID() {
			j.Errorf("fetched %v, %v", all, err)
		}
		_ = server.To(one.ID(), two.ID()).Emit("end")
		_ = server.To(one.ID(), two.ID()).DisconnectSockets(true)
		for c, news := range map[*clienttest.Client]int{one: 2, two: 1} {
			c.Wait("end", 1)
			if got := len(c.Wait("news", news)); got != news || c.Count("news") != 0 {
				j.Errorf("%d news, and %d more", got, c.Count("news"))
			}
			if d := c.WaitDisconnect(); d.Reason != "io server disconnect" {
				j.Errorf("disconnected: %+v", d)
			}
		}
	})
}
