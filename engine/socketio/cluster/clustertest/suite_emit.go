package clustertest

import (
	"fmt"
	"strings"
)

func everyone(h *hall) {
	for i, n := range h.at {
		h.ok(n.Emit("news", i, "hi", map[string]any{"a": true, "b": nil, "f": 1.5}))
		each(h.all(), "news", i, "hi", map[string]any{"a": true, "b": nil, "f": 1.5})
	}
	h.ok(h.seats[0][0].Socket().Broadcast().Emit("others"))
	each(h.all()[1:], "others")
	h.fence(h.all()...)
}

func rooms(h *hall) {
	a, b, c := h.seats[0][0], h.seats[1][0], h.seats[2][0]
	h.join(a, "red")
	h.join(b, "red", "blue")
	h.join(c, "blue", "green")
	h.reaches("red", a, b)
	h.reaches("blue", b, c)
	h.reaches("green", c)
	for _, n := range h.at {
		h.ok(n.To("red").Emit("to red"))
		each([]*member{a, b}, "to red")
		h.ok(n.To("red", "blue").Emit("to two"))
		each([]*member{a, b, c}, "to two")
		h.ok(n.To("red", "blue").Except("green").Emit("without green"))
		each([]*member{a, b}, "without green")
		h.ok(n.Except("red", "blue").Emit("the others"))
		each([]*member{h.seats[0][1], h.seats[1][1], h.seats[2][1]}, "the others")
		h.ok(n.Except(a.ID(), c.ID()).Emit("not two"))
		each([]*member{h.seats[0][1], b, h.seats[1][1], h.seats[2][1]}, "not two")
		h.ok(n.To("nobody").Emit("lost"))
		for _, m := range h.all() {
			h.ok(n.To(m.ID()).Emit("you", m.ID()))
			m.expect("you", m.ID())
		}
		h.ok(n.To(a.ID(), c.ID(), "red").Emit("once"))
		each([]*member{a, b, c}, "once")
	}
	b.Socket().Leave("red")
	h.ok(h.at[0].To("red").Emit("left"))
	a.expect("left")
	h.fence(h.all()...)
}

// oddNames has rooms that mean something to one broker or the other.
func oddNames(h *hall) {
	names := []string{"räum#*[x]", "a.b", "a b", ">", "*", "?", "[a]", `\`, "#", "/", "{x}", "日本", "123", "-1", "1.5", "x\ny", `"`, strings.Repeat("r", 256), "0123456789abcdef", "01234567890123456789"}
	a, b := h.seats[0][0], h.seats[1][0]
	h.join(b, names...)
	for i, room := range names {
		h.reaches(room, b)
		h.ok(h.at[0].To(room).Emit("odd", i))
		b.expect("odd", i)
		h.ok(h.at[2].To(room, "x").Except("y", a.ID()).Emit("odd and more", i))
		b.expect("odd and more", i)
	}
	h.ok(h.at[2].Except(names[3:]...).Emit("without"))
	each([]*member{a, h.seats[2][0]}, "without")
	h.fence(b)
}

func values(h *hall) {
	nested := map[string]any{"list": []any{[]byte{1, 2}, map[string]any{"deep": []byte{}}, "ü\u2028\x00😀"}, "n": 1 << 53}
	for _, n := range h.at {
		h.ok(n.Emit("binary", []byte{1, 2, 3, 255}))
		each(h.all(), "binary", []byte{1, 2, 3, 255})
		h.ok(n.Emit("nested", 1, nested, []byte("last")))
		each(h.all(), "nested", 1, nested, []byte("last"))
		h.ok(n.To(h.seats[1][1].ID()).Emit("to one", []byte{0}))
		h.seats[1][1].expect("to one", []byte{0})
		h.ok(n.Emit("nothing"))
		each(h.all(), "nothing")
		h.ok(n.Emit("héllo\n\"", nil, -1.25e-7, []any{}, strings.Repeat("x", 40_000), make([]byte, 70_000)))
		each(h.all(), "héllo\n\"", nil, -1.25e-7, []any{}, strings.Repeat("x", 40_000), make([]byte, 70_000))
	}
}

func namespaces(h *hall) {
	others := map[string][]*member{}
	for i, m := range h.seats {
		for _, name := range []string{"/x", "/x#*", "/x/y"} {
			name = h.name + name
			server := m[0]
			h.at[i].Server().Of(name)
			others[name] = append(others[name], &member{server.Of(name, nil), h.T})
		}
	}
	for name := range others {
		for _, n := range h.at {
			h.eventually("namespace "+name, func() bool {
				n, err := n.Server().Of(name).ServerCount(h.ctx())
				return err == nil && n == len(h.at)
			})
		}
	}
	for i, n := range h.at {
		for name, members := range others {
			h.ok(n.Server().Of(name).Emit("here", name, i))
			each(members, "here", name, i)
		}
	}
	h.fence(h.all()...)
	for name, members := range others {
		h.ok(h.at[0].Server().Of(name).Emit("end"))
		each(members, "end")
	}
}

func localAndVolatile(h *hall) {
	for i, n := range h.at {
		h.ok(n.Local().Emit("here", i))
		each(h.seats[i], "here", i)
		h.ok(n.Volatile().Emit("maybe", i))
		each(h.all(), "maybe", i)
		h.ok(n.Compress(false).Emit("plain", i))
		each(h.all(), "plain", i)
		h.ok(n.Volatile().Compress(false).Except(h.seats[0][0].ID()).Emit("both", i))
		each(h.all()[1:], "both", i)
	}
	h.fence(h.all()...)
}

// order has each server say a lot, which comes in its order.
func order(h *hall) {
	const events = 300
	for i, n := range h.at {
		go func() {
			for k := range events {
				_ = n.Emit(fmt.Sprint("from ", i), k, []byte{byte(k)}[:k%2])
			}
		}()
	}
	for _, m := range h.all() {
		var next [servers]int
		for range events * servers {
			e := m.Next()
			var k int
			var from int
			if _, err := fmt.Sscanf(e.Name, "from %d", &from); err != nil || e.Args.Decode(&k) != nil || next[from] != k {
				h.Fatalf("%v after %v", e, next)
			}
			next[from]++
		}
	}
}
