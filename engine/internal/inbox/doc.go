// Package inbox is a queue with many producers and one consumer: any goroutine pushes, one event loop takes.
//
// It answers one question besides keeping things in order: who must wake the consumer? A burst of pushes asks for one wake, from the
// producer that came first, and for none while the consumer is running anyway. Waking itself (a task posted to the loop) is the
// caller's business, and so is what the values mean.
//
// # States
//
// The consumer is asleep or it is awake; a consumer that was told to wake counts as awake. The zero Inbox is asleep.
//
//	asleep --Push--> awake   (that Push returns wake = true)
//	asleep --Awake-> awake   (the consumer runs for a reason of its own)
//	awake  --Push--> awake   (wake = false)
//	awake  --Take--> awake   (something was queued: more = true)
//	awake  --Take--> asleep  (nothing was queued: more = false)
//
// Hence the one rule for the consumer: whoever is awake calls Take until more is false before it goes to sleep. State and queue change
// under one lock, so a push either is seen by that last Take or comes after it and wakes. A consumer that may not work without end
// (others wait for its loop) stays awake instead, and arranges itself to be run again.
//
// A wake that is under way when the consumer runs for another reason arrives late and finds nothing; that is harmless.
//
// # Ownership
//
// A batch belongs to the consumer until it hands the slice back as the spare of its next Take, which clears it. Values are moved, never
// looked at.
package inbox
