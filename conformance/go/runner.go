package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"time"
)

// A check is one thing that users of the SDK do. It fails by a panic, which the helpers
// below raise.
type check struct {
	name string
	run  func(ctx context.Context)
	// The time limit: a client that hangs must not delay the others.
	limit time.Duration
}

// runAll runs checks one by one and says how each went, in the words that conformance/run counts.
func runAll(client string, checks []check) {
	status := 0
	for _, check := range checks {
		if err := runOne(check); err != nil {
			status = 1
			reason := strings.Join(strings.Fields(err.Error()), " ")
			fmt.Printf("FAILED %s: %s: %s\n", client, check.name, reason)
		} else {
			fmt.Printf("ok %s: %s\n", client, check.name)
		}
	}
	os.Exit(status)
}

// runOne also gives up on a check that heeds no deadline: the SDK waits for the first event of a
// subscription whatever its context says.
func runOne(check check) error {
	limit := check.limit
	if limit == 0 {
		limit = time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- guarded(func() { check.run(ctx) }) }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit + time.Second):
		return fmt.Errorf("not over after %s", limit)
	}
}

// guarded turns a failure into an error; goroutines of a check need it, too.
func guarded(run func()) (err error) {
	defer func() {
		// Also catches the panic of a check that reads a missing member through a nil pointer.
		if reason := recover(); reason != nil {
			err = fmt.Errorf("%s: %v", where(), reason)
		}
	}()
	run()
	return nil
}

// together runs all functions at once and fails with the first that fails.
func together(runs ...func()) {
	results := make(chan error, len(runs))
	for _, run := range runs {
		go func() { results <- guarded(run) }()
	}
	for range runs {
		if err := <-results; err != nil {
			fail("%v", err)
		}
	}
}

func fail(format string, values ...any) {
	panic(fmt.Sprintf(format, values...))
}

// where is the line of a check, not of this file or a package, that panicked.
func where() string {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for {
		frame, more := frames.Next()
		file := filepath.Base(frame.File)
		if strings.HasPrefix(frame.Function, "main.") && file != "runner.go" || !more {
			return fmt.Sprintf("%s:%d", file, frame.Line)
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		fail("%v", err)
	}
	return value
}

func equal(actual, expected any) {
	if !reflect.DeepEqual(actual, expected) {
		fail("%s in the place of %s", shortened(actual), shortened(expected))
	}
}

// shortened prints a value; of ten megabytes the beginning says enough.
func shortened(value any) string {
	text := fmt.Sprintf("%+v", value)
	if len(text) > 200 {
		return text[:200] + "…"
	}
	return text
}

func assert(holds bool, format string, values ...any) {
	if !holds {
		fail(format, values...)
	}
}

// until asks again and again until the condition holds.
func until(ctx context.Context, condition func() bool) {
	for !condition() {
		select {
		case <-ctx.Done():
			fail("still not so: %v", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
