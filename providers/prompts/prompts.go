// Package prompts holds what models are told, as versioned files: a change of wording is a new version, so that replies kept
// in a cache are never taken for answers to another question.
package prompts

import (
	"embed"
	"encoding/json"
	"fmt"
)

//go:embed *.md *.json
var files embed.FS

// Prompt is what a task's requests have in common.
type Prompt struct {
	// Version names the files: "extract.v1".
	Version      string
	Instructions string
	// Schema is the JSON Schema of the reply, in the strict form: all properties required, no others allowed.
	Schema     json.RawMessage
	SchemaName string
}

// Extract is the prompt that turns pages into an sdk.Receipt.
func Extract() (Prompt, error) { return load("extract.v1", "receipt") }

// Repair is the prompt that has a provider read pages once more whose first reading does not add up. It begins with Extract's
// instructions, word for word, so that what vendors have cached of them is used, and asks for the same schema. What is in
// doubt goes into the request's input.
func Repair() (Prompt, error) {
	p, err := Extract()
	if err != nil {
		return Prompt{}, err
	}
	const version = "repair.v1"
	more, err := files.ReadFile(version + ".md")
	if err != nil {
		return Prompt{}, fmt.Errorf("prompt %s: %w", version, err)
	}
	p.Version += "+" + version
	p.Instructions += string(more)
	return p, nil
}

// Analyze is the prompt that puts an sdk.Findings, which is the request's input, into words: an sdk.Insights.
func Analyze() (Prompt, error) { return load("analyze.v1", "insights") }

func load(version, schemaName string) (Prompt, error) {
	instructions, err := files.ReadFile(version + ".md")
	if err != nil {
		return Prompt{}, fmt.Errorf("prompt %s: %w", version, err)
	}
	schema, err := files.ReadFile(version + ".schema.json")
	if err != nil {
		return Prompt{}, fmt.Errorf("prompt %s: %w", version, err)
	}
	return Prompt{Version: version, Instructions: string(instructions), Schema: schema, SchemaName: schemaName}, nil
}
