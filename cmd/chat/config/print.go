package config

import (
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

// Print writes the options as a file that --config reads. Secrets are not shown, and
// what nobody set stands there as a comment, so that new defaults are taken on.
func Print(w io.Writer, options []Option) error {
	group := ""
	for _, o := range options {
		if o.Group != group {
			group = o.Group
			fmt.Fprintf(w, "\n# %s\n", group)
		}
		line, err := o.line()
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "\n# %s\n%s\n", oneLine(o.Help), line); err != nil {
			return err
		}
	}
	return nil
}

func (o *Option) line() (string, error) {
	if o.hidden() {
		return "# " + o.Name + ": (redacted)", nil
	}
	b, err := yaml.Marshal(map[string]any{o.Name: o.Value})
	if err != nil {
		return "", fmt.Errorf("%s: %w", o.Name, err)
	}
	whole := strings.TrimSpace(string(b))
	line := RedactText(whole) // a URL without its password is no use to --config
	if o.Default || line != whole {
		line = "# " + strings.ReplaceAll(line, "\n", "\n# ")
	}
	return line, nil
}

// hidden reports that the value must not be shown: that of a secret, unless there is none in it.
func (o *Option) hidden() bool {
	if text, ok := o.Value.(string); ok && o.secretURL && !strings.Contains(text, "://") {
		return false
	}
	return o.Secret && !isZero(o.Value)
}

func isZero(v any) bool {
	switch x := v.(type) {
	case string:
		return x == ""
	case []string:
		return len(x) == 0
	}
	return false
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
