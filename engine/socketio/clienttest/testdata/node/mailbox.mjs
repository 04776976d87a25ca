// A Mailbox keeps everything that arrives, by name and in order, from the first moment on, so that a test may ask for
// an event after it came without ever missing one. What is taken is gone.
export class Mailbox {
  #boxes = new Map();

  #box(name) {
    if (!this.#boxes.has(name)) this.#boxes.set(name, { items: [], waiters: [] });
    return this.#boxes.get(name);
  }

  put(name, item) {
    const box = this.#box(name);
    box.items.push(item);
    this.#settle(box);
  }

  count(name) {
    return this.#box(name).items.length;
  }

  clear(name) {
    this.#box(name).items.length = 0;
  }

  // drain takes all events of the application, by name.
  drain() {
    const all = {};
    for (const [name, box] of this.#boxes) {
      if (!name.startsWith("$") && box.items.length > 0) all[name] = box.items.splice(0);
    }
    return all;
  }

  // take resolves with the next `count` items as soon as there are that many.
  take(name, count, ms) {
    const box = this.#box(name);
    return new Promise((resolve, reject) => {
      const waiter = { count, resolve };
      waiter.timer = setTimeout(() => {
        box.waiters.splice(box.waiters.indexOf(waiter), 1);
        reject(new Error(`waited ${ms} ms for ${count} x ${name}, have ${box.items.length}`));
      }, ms);
      box.waiters.push(waiter);
      this.#settle(box);
    });
  }

  #settle(box) {
    while (box.waiters.length > 0 && box.items.length >= box.waiters[0].count) {
      const waiter = box.waiters.shift();
      clearTimeout(waiter.timer);
      waiter.resolve(box.items.splice(0, waiter.count));
    }
  }
}
