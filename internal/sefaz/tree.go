package sefaz

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// parsePage makes a tree of a page's bytes. What is declared of its encoding is believed only where the bytes are not UTF-8, which
// other text never is by chance; windows-1252 holds all of ISO-8859-1's letters.
func parsePage(p page) (*html.Node, error) {
	body := p.body
	if !utf8.Valid(body) {
		encoding, name, _ := charset.DetermineEncoding(body, p.contentType)
		if name == "utf-8" {
			encoding, _ = charset.Lookup("windows-1252")
		}
		decoded, err := encoding.NewDecoder().Bytes(body)
		if err != nil {
			return nil, fmt.Errorf("decode page: %w", err)
		}
		body = decoded
	}
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("parse page: %w", err)
	}
	return root, nil
}

// walk visits the elements and texts below root in the order of the page, root included; those below a node for which visit is
// false are left out. It does not recurse: a page may be as deep as it is long.
func walk(root *html.Node, visit func(*html.Node) bool) {
	for n := root; n != nil; {
		if visit(n) && n.FirstChild != nil {
			n = n.FirstChild
			continue
		}
		for n != root && n.NextSibling == nil {
			n = n.Parent
		}
		if n == root {
			return
		}
		n = n.NextSibling
	}
}

// selector says whether an element is meant.
type selector func(*html.Node) bool

func tag(names ...atom.Atom) selector {
	return func(n *html.Node) bool { return slices.Contains(names, n.DataAtom) }
}

// class is an element that has one of the classes.
func class(names ...string) selector {
	return func(n *html.Node) bool {
		for c := range strings.FieldsSeq(attribute(n, "class")) {
			if slices.Contains(names, c) {
				return true
			}
		}
		return false
	}
}

func id(name string) selector {
	return func(n *html.Node) bool { return attribute(n, "id") == name }
}

func (s selector) and(other selector) selector {
	return func(n *html.Node) bool { return s(n) && other(n) }
}

// all are the elements below root that are meant, nested ones too.
func all(root *html.Node, meant selector) []*html.Node {
	var found []*html.Node
	if root == nil {
		return nil
	}
	walk(root, func(n *html.Node) bool {
		if n.Type == html.ElementNode && n != root && meant(n) {
			found = append(found, n)
		}
		return true
	})
	return found
}

// first is the first element below root that is meant, or nil.
func first(root *html.Node, meant selector) *html.Node {
	var found *html.Node
	if root == nil {
		return nil
	}
	walk(root, func(n *html.Node) bool {
		if found == nil && n.Type == html.ElementNode && n != root && meant(n) {
			found = n
		}
		return found == nil
	})
	return found
}

// children are the elements right below n.
func children(n *html.Node) []*html.Node {
	var list []*html.Node
	for c := range n.ChildNodes() {
		if c.Type == html.ElementNode {
			list = append(list, c)
		}
	}
	return list
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is what people read below n, on one line; "" for nil. Elements in except are left out.
func text(n *html.Node, except ...selector) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	hidden := tag(atom.Script, atom.Style, atom.Template, atom.Noscript)
	apart := tag(
		atom.Br, atom.Td, atom.Th, atom.Tr, atom.Div, atom.P, atom.Li, atom.Strong, atom.Span, atom.Label, atom.H1, atom.H2, atom.H3, atom.H4,
	)
	walk(n, func(n *html.Node) bool {
		switch n.Type {
		case html.TextNode:
			b.WriteString(n.Data)
		case html.ElementNode:
			if hidden(n) || slices.ContainsFunc(except, func(s selector) bool { return s(n) }) {
				return false
			}
			if apart(n) {
				b.WriteByte(' ')
			}
		default:
		}
		return true
	})
	return oneLine(b.String())
}

// oneLine drops line breaks, doubled blanks, and what people cannot see.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// fold is how words are compared: lower case, without accents.
func fold(s string) string {
	folded, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), s)
	if err != nil {
		folded = s
	}
	return strings.ToLower(oneLine(folded))
}

// frameOf is where the page's only frame leads; nil when it has none, or a note is beside it.
func frameOf(p page) *url.URL {
	if !bytes.Contains(bytes.ToLower(p.body), []byte("<iframe")) {
		return nil
	}
	root, err := parsePage(p)
	if err != nil || layoutOf(root) != nil {
		return nil
	}
	frames := all(root, tag(atom.Iframe))
	if len(frames) != 1 {
		return nil
	}
	at, err := p.at.Parse(attribute(frames[0], "src"))
	if err != nil || at.Host == "" {
		return nil
	}
	return at
}
